"""Attempts of two matched task runs, the delays asked for between them, and what they declare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from equivalence.trace import TaskRun

DECLARED = "as declared"
"""What is told of a difference that no run showed."""


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
        note = f"{_declared(v1)} in v1, {_declared(v2)} in v2"
        yield RetryDifference("retry-count", "attempts", str(v1.attempts), str(v2.attempts), note)
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


def declared_otherwise(v1: TaskRun, v2: TaskRun) -> Iterator[RetryDifference]:
    """What the two tasks declare differently where the run did not show it: retries, their delays, time limits, tags.

    A tag that only the new task has is none: teams add them, and a limit on it is a choice of its own.
    """
    if v1.side == v2.side or v1.attempts != v2.attempts:
        return
    pairs: list[tuple[str, object, object]] = [
        ("retries", v1.retries or 0, v2.retries or 0),
        ("timeout", v1.timeout or 0, v2.timeout or 0),
    ]
    if v1.retries and v2.retries and not v1.delays and not v2.delays:
        both = min(v1.retries, v2.retries)
        pairs.append(("retry_delay", _waits(v1, both), _waits(v2, both)))
    for path, old, new in pairs:
        if old != new:
            yield RetryDifference("contract", path, _plain(old), _plain(new), DECLARED)
    lost = sorted(set(v1.tags) - set(v2.tags))
    if lost:
        yield RetryDifference("contract", "tags", ", ".join(v1.tags), ", ".join(v2.tags) or "none", DECLARED)


def _waits(run: TaskRun, retries: int) -> tuple[int, ...]:
    """The declared delays of the first retries in whole seconds; the last one of a list repeats."""
    delays = run.declared or (0.0,)
    return tuple(int(delays[min(index, len(delays) - 1)]) for index in range(min(retries, 5)))


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value[:1] if len(set(value)) == 1 else value))
    return f"{value:g}" if isinstance(value, float) else str(value or "none")


def _declared(run: TaskRun) -> str:
    if not run.retries:
        return "no retries declared"
    return "1 retry declared" if run.retries == 1 else f"{run.retries} retries declared"
