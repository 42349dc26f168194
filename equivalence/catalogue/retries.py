"""Rules for retries and time limits: G06, G18."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from equivalence import vocabulary
from equivalence.catalogue.rule import Evidence, Rule


def _retries(test: Callable[[int, int], bool]) -> Callable[[Evidence], bool]:
    """Another number of attempts, and other retries declared."""

    def recognises(evidence: Evidence) -> bool:
        old, new = evidence.runs()
        return (
            evidence.difference.kind == "retry-count"
            and old is not None
            and new is not None
            and (old.retries or 0) != (new.retries or 0)
            and test(old.retries or 0, new.retries or 0)
        )

    return recognises


def _flow_retried(evidence: Evidence) -> bool:
    retried = any(state.name in ("AwaitingRetry", "Retrying") for state in evidence.v2.states)
    old, new = evidence.runs()
    more = old is not None and new is not None and new.attempts > old.attempts
    return evidence.difference.kind == "retry-count" and retried and more


def _delay_factor(factors: Sequence[float]) -> Callable[[Evidence], bool]:
    def recognises(evidence: Evidence) -> bool:
        if evidence.difference.kind != "retry-delay":
            return False
        old, new = (float(text.removesuffix(" s")) for text in (evidence.difference.v1, evidence.difference.v2))
        return any(old == new * factor or new == old * factor for factor in factors)

    return recognises


def _no_delay(evidence: Evidence) -> bool:
    return evidence.difference.kind == "retry-delay" and evidence.difference.v2 == "0 s"


def _timeout(evidence: Evidence) -> bool:
    """One side ran out of time in a task and the other did not."""
    old, new = evidence.runs()
    kinds = [vocabulary.kind_of_task(run) if run is not None else "" for run in (old, new)]
    return evidence.difference.kind in ("task-state", "retry-count") and kinds.count(vocabulary.TIMED_OUT) == 1


RULES: tuple[Rule, ...] = (
    Rule(
        "timeout-lost",
        "G18",
        "The time limit is another one",
        "`timeout` was in seconds or a timedelta, `timeout_seconds` is in seconds. Prefect 1 interrupts a task at any "
        "moment; Prefect 2 ends its thread when the step that is under way is over.",
        "`timeout_seconds=` the seconds of the old `timeout`.",
        "Prefect 2 docs: Tasks, Timeouts",
        _timeout,
    ),
    Rule(
        "retries-lost",
        "G06",
        "The task is not retried any more",
        "`max_retries` of the Prefect 1 task has no `retries` on the Prefect 2 task.",
        "`@task(retries=N, retry_delay_seconds=S)` with N as `max_retries` was.",
        "Prefect 2 docs: Tasks, Retries",
        _retries(lambda old, new: old > 0 and new == 0),
    ),
    Rule(
        "retries-off-by-one",
        "G06",
        "One attempt more or fewer",
        "`max_retries` and `retries` both count the attempts after the first one: neither counts the first.",
        "Set `retries` to the number that `max_retries` has.",
        "Prefect 2 docs: Tasks, Retries",
        _retries(lambda old, new: abs(old - new) == 1),
    ),
    Rule(
        "flow-retries",
        "G06",
        "The flow is retried, and its failed tasks with it",
        "`@flow(retries=…)` runs the flow function again, and failed task runs start over with all their retries; a "
        "Prefect 1 flow is not retried.",
        "Leave `retries` out of `@flow`, and give them to the tasks.",
        "Prefect 2 docs: Flows, Flow settings",
        _flow_retried,
    ),
    Rule(
        "retries-changed",
        "G06",
        "Another number of retries",
        "`max_retries` of the Prefect 1 task and `retries` of the Prefect 2 task differ.",
        "Set `retries` to the number that `max_retries` has.",
        "Prefect 2 docs: Tasks, Retries",
        _retries(lambda old, new: True),
    ),
    Rule(
        "retry-delay-missing",
        "G06",
        "The retry comes at once",
        "Without `retry_delay_seconds` Prefect 2 retries at once; Prefect 1 demands a delay.",
        "`retry_delay_seconds=` the seconds of the old `retry_delay`.",
        "Prefect 2 docs: Tasks, Retries",
        _no_delay,
    ),
    Rule(
        "retry-delay-unit",
        "G06",
        "The retry delay is in another unit",
        "`retry_delay` was a timedelta, `retry_delay_seconds` is a number of seconds.",
        "Write the seconds: `retry_delay_seconds=600` for `timedelta(minutes=10)`.",
        "Prefect 2 docs: Tasks, Retries",
        _delay_factor((60.0, 3600.0, 1000.0, 86400.0)),
    ),
)
