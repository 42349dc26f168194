"""Attempts of two matched task runs, and the delays asked for between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from equivalence.trace import TaskRun


@dataclass(frozen=True, slots=True)
class RetryDifference:
    """Where two task runs retried otherwise; ``path`` is relative to the task run."""

    kind: str
    path: str
    v1: str
    v2: str
    note: str = ""


def compare_retries(v1: TaskRun, v2: TaskRun) -> Iterator[RetryDifference]:
    """Differences in the number of attempts and in the delays, both of which must be recorded on each side.

    Delays are compared up to the shorter list: what is missing from it is the other number of attempts.
    """
    if v1.attempts != v2.attempts:
        yield RetryDifference(
            "retry-count", "attempts", str(v1.attempts), str(v2.attempts), f"{_declared(v1)} in v1, {_declared(v2)} in v2"
        )
    for index, (old, new) in enumerate(zip(v1.delays, v2.delays, strict=False)):
        if not same_delay(old, new):
            yield RetryDifference("retry-delay", f"delays[{index}]", f"{old:g} s", f"{new:g} s")


def same_delay(v1: float, v2: float) -> bool:
    """Whether two delays in seconds are the same to the whole second.

    Prefect 2 truncates declared delays to whole seconds (2.20.26 client/schemas/objects.py: ``retry_delay: int``).
    """
    return v1 == v2 or int(v1) == int(v2)


def shortened(v1: TaskRun, v2: TaskRun) -> bool:
    """Whether equality of the delays rests on leaving out parts of a second."""
    return any(old != new and same_delay(old, new) for old, new in zip(v1.delays, v2.delays, strict=False))


def _declared(run: TaskRun) -> str:
    if not run.retries:
        return "no retries declared"
    return "1 retry declared" if run.retries == 1 else f"{run.retries} retries declared"
