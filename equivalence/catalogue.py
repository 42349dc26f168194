"""Known behaviour changes between Prefect 1 and Prefect 2: how to recognise one, its cause, its fix.

Pure. A rule looks at one difference and the two traces it came from; the first that recognises itself explains it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from equivalence import vocabulary
from equivalence.compare.states import Difference
from equivalence.compare.traces import Comparison
from equivalence.trace import TaskRun, Trace


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a rule may look at: the difference, everything else that differs, and the two traces."""

    difference: Difference
    comparison: Comparison
    v1: Trace
    v2: Trace

    def runs(self) -> tuple[TaskRun | None, TaskRun | None]:
        """The two task runs that the difference is about."""
        for match in self.comparison.matches:
            if match.label == self.difference.task:
                return match.v1, match.v2
        return None, None


@dataclass(frozen=True, slots=True)
class Rule:
    """One behaviour change: ``row`` is its row of the migration guide, ``cause`` and ``fix`` are for the reader."""

    id: str
    row: str
    title: str
    cause: str
    fix: str
    recognises: Callable[[Evidence], bool]


def explain(evidence: Evidence) -> Rule | None:
    """The first rule that recognises the difference; None leaves it unexplained."""
    return next((rule for rule in RULES if rule.recognises(evidence)), None)


def by_id(rule_id: str | None) -> Rule | None:
    """The rule of this id."""
    return next((rule for rule in RULES if rule.id == rule_id), None)


def _kind(*kinds: str) -> Callable[[Evidence], bool]:
    return lambda evidence: evidence.difference.kind in kinds


def _attempts(test: Callable[[int, int], bool]) -> Callable[[Evidence], bool]:
    def recognises(evidence: Evidence) -> bool:
        old, new = evidence.runs()
        return (
            evidence.difference.kind == "retry-count"
            and old is not None
            and new is not None
            and test(old.attempts, new.attempts)
        )

    return recognises


def _delay_factor(factors: Sequence[float]) -> Callable[[Evidence], bool]:
    def recognises(evidence: Evidence) -> bool:
        if evidence.difference.kind != "retry-delay":
            return False
        old, new = (float(text.removesuffix(" s")) for text in (evidence.difference.v1, evidence.difference.v2))
        return any(old == new * factor or new == old * factor for factor in factors)

    return recognises


def _no_delay(evidence: Evidence) -> bool:
    return evidence.difference.kind == "retry-delay" and evidence.difference.v2 == "0 s"


def _final(test: Callable[[Evidence], bool]) -> Callable[[Evidence], bool]:
    return lambda evidence: evidence.difference.kind == "final-state" and test(evidence)


def _v2_failed_tasks(evidence: Evidence) -> list[TaskRun]:
    return [run for run in evidence.v2.user_tasks if vocabulary.kind_of_task(run) == vocabulary.FAILED]


def _hidden_failure(evidence: Evidence) -> bool:
    kind = vocabulary.kind_of_state("v2", evidence.v2.final)
    return kind == vocabulary.COMPLETED and bool(_v2_failed_tasks(evidence))


def _all_runs_count(evidence: Evidence) -> bool:
    kind = vocabulary.kind_of_state("v2", evidence.v2.final)
    old = vocabulary.kind_of_state("v1", evidence.v1.final)
    return kind == vocabulary.FAILED and old == vocabulary.COMPLETED and evidence.v2.returned_nothing


def _not_submitted(evidence: Evidence) -> bool:
    """The new flow function raised, and the task comes after the one that failed there."""
    return evidence.difference.kind == "task-missing" and evidence.v2.exception is not None


def _note(word: str, *kinds: str) -> Callable[[Evidence], bool]:
    return lambda evidence: evidence.difference.kind in kinds and word in evidence.difference.note


def _naive(evidence: Evidence) -> bool:
    shown = evidence.difference.v1 + evidence.difference.v2
    return evidence.difference.kind in ("result", "task-result") and "datetime" in shown and "+00:00" in shown


RULES: tuple[Rule, ...] = (
    Rule(
        "parameter-validation",
        "G25",
        "Prefect 2 validates parameters",
        "Prefect 2 checks parameters against the annotations of the flow function with pydantic before anything "
        "runs; Prefect 1 checks nothing.",
        "Widen the annotation (`Optional[int]`, `Union[int, float]`), or use `@flow(validate_parameters=False)`.",
        lambda evidence: evidence.difference.kind == "parameter" and "refused" in evidence.difference.v2,
    ),
    Rule(
        "parameter-default",
        "G02",
        "A parameter's default changed",
        "The defaults of the Prefect 1 Parameter and of the Prefect 2 argument differ, so a run without it differs.",
        "Give the argument the Parameter's default: `def flow(limit: int = 100)`.",
        _note("default", "parameter"),
    ),
    Rule(
        "parameter-signature",
        "G02",
        "The parameters of the two flows do not match",
        "A parameter was renamed, left out or added, or is required on one side only.",
        'Rename it back, or say so in the pair\'s table: `parameters = { "old name" = "new_name" }`.',
        _kind("parameter"),
    ),
    Rule(
        "retries-lost",
        "G06",
        "The task is not retried any more",
        "`max_retries` of the Prefect 1 task has no `retries` on the Prefect 2 task.",
        "`@task(retries=N, retry_delay_seconds=S)` with N as `max_retries` was.",
        _attempts(lambda old, new: old > 1 and new == 1),
    ),
    Rule(
        "retries-off-by-one",
        "G06",
        "One attempt more or fewer",
        "`max_retries` and `retries` both count the attempts after the first one: neither counts the first.",
        "Set `retries` to the number that `max_retries` has.",
        _attempts(lambda old, new: abs(old - new) == 1),
    ),
    Rule(
        "retries-changed",
        "G06",
        "Another number of attempts",
        "The declared retries, or the exceptions that are retried (`retry_on`, `retry_condition_fn`), differ.",
        "Make `retries` and the retry condition those of the Prefect 1 task.",
        _kind("retry-count"),
    ),
    Rule(
        "retry-delay-missing",
        "G06",
        "The retry comes at once",
        "Without `retry_delay_seconds` Prefect 2 retries at once; Prefect 1 demands a delay.",
        "`retry_delay_seconds=` the seconds of the old `retry_delay`.",
        _no_delay,
    ),
    Rule(
        "retry-delay-unit",
        "G06",
        "The retry delay is in another unit",
        "`retry_delay` was a timedelta, `retry_delay_seconds` is a number of seconds.",
        "Write the seconds: `retry_delay_seconds=600` for `timedelta(minutes=10)`.",
        _delay_factor((60.0, 3600.0, 1000.0, 86400.0)),
    ),
    Rule(
        "retry-delay-changed",
        "G06",
        "Another retry delay",
        "The delays asked for between attempts differ; a list repeats its last entry.",
        "Make `retry_delay_seconds` the delays of the Prefect 1 task.",
        _kind("retry-delay"),
    ),
    Rule(
        "failure-hidden-by-return-value",
        "G04",
        "A task failed and the flow is Completed",
        "Prefect 2 decides the final state by the return value: data, or a dict or nested list of futures, hides a "
        "failed task run that Prefect 1's reference tasks would have counted.",
        "Return the futures or states that count, in a flat list, or let the exception leave the flow function.",
        _final(_hidden_failure),
    ),
    Rule(
        "all-task-runs-count",
        "G04",
        "A failed task fails the flow that returns nothing",
        "A Prefect 2 flow that returns None fails when any task run failed; in Prefect 1 only reference tasks count, "
        "by default the terminal ones.",
        "Return the state or value of what was the reference task.",
        _final(_all_runs_count),
    ),
    Rule(
        "final-state",
        "G03",
        "The flow ends in another state",
        "Prefect 1 decides by reference tasks, Prefect 2 by the return value or the exception of the flow function.",
        "Return what was the reference task's result or state, or raise.",
        _kind("final-state"),
    ),
    Rule(
        "cut-off-by-exception",
        "G08",
        "A task is not reached after a failure",
        "A called Prefect 2 task that fails raises in the flow function, and nothing after it runs; in Prefect 1 "
        "independent tasks, and those with a trigger, still do.",
        "Use `.submit()` for independent branches; `allow_failure` or `return_state=True` for clean-up.",
        _not_submitted,
    ),
    Rule(
        "task-missing",
        "G08",
        "A task of the old flow does not run in the new one",
        "The task was left out, renamed, or waits for an upstream that did not complete.",
        'Call it, or say what it is called now: `tasks = { "old name" = "new_name" }` in the pair\'s table.',
        _kind("task-missing"),
    ),
    Rule(
        "task-extra",
        "G08",
        "A task runs that the old flow has not, or did not run",
        "The task is new or called once more, or a skip or trigger that kept it from running was not carried over.",
        'Leave it out, or say which it was: `tasks = { "old name" = "new_name" }` in the pair\'s table.',
        _kind("task-extra"),
    ),
    Rule(
        "time-zone",
        "G20",
        "A time zone was lost or added",
        "Prefect 1's DateTimeParameter and context dates are aware, in UTC; Python's `datetime` and pydantic's parsing "
        "of a text without offset are naive.",
        "Attach the zone: `value.replace(tzinfo=timezone.utc)` or `pendulum.instance(value)`.",
        _naive,
    ),
    Rule(
        "type-changed",
        "G05",
        "The same value with another type",
        "The two results look alike and have different types; pydantic coerces parameters to their annotations.",
        "Convert explicitly, or annotate the parameter with the type that it had.",
        _note("type", "result", "task-result"),
    ),
    Rule(
        "order-changed",
        "G12",
        "The same members in another order",
        "Prefect 1 hands on mapped results in the order of the input; the new flow collects them otherwise.",
        "Gather results in the order of submission: `[future.result() for future in futures]`.",
        _note("another order", "result", "task-result"),
    ),
)
