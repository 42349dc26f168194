"""Known behaviour changes between Prefect 1 and Prefect 2: how to recognise one, its cause, its fix.

Pure. A rule looks at one difference and the two traces it came from; the first that recognises itself explains it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from equivalence import vocabulary
from equivalence.compare.states import Difference
from equivalence.compare.traces import Comparison
from equivalence.compare.tree import Value, signature, signatures
from equivalence.trace import TaskRun, Trace

_DATETIME = re.compile(r'datetime\("([^"]+)"\)')


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


def _trigger(evidence: Evidence) -> bool:
    """Prefect 1 ran the task after a failed upstream, Prefect 2 left it NotReady."""
    old, new = evidence.runs()
    left = new is not None and not new.attempts and new.final is not None and new.final.name == "NotReady"
    return evidence.difference.kind in ("task-missing", "task-state") and left and old is not None and old.attempts > 0


def _note(word: str, *kinds: str) -> Callable[[Evidence], bool]:
    return lambda evidence: evidence.difference.kind in kinds and word in evidence.difference.note


def _result(test: Callable[[Evidence], bool]) -> Callable[[Evidence], bool]:
    return lambda evidence: evidence.difference.kind in ("result", "task-result") and test(evidence)


def _offset_changed(evidence: Evidence) -> bool:
    """The same instant, with another offset from UTC."""
    found = [_DATETIME.fullmatch(text) for text in (evidence.difference.v1, evidence.difference.v2)]
    if found[0] is None or found[1] is None:
        return False
    try:
        old, new = (datetime.fromisoformat(match[1]) for match in found if match is not None)
    except ValueError:
        return False
    return None not in (old.tzinfo, new.tzinfo) and old == new and old.utcoffset() != new.utcoffset()


def _signature(value: Value) -> str:
    return signature(value.root()) if value.at is None else "d" + value.digest


def _members(value: Value | None) -> list[str] | None:
    """Signatures of the members of a list or tuple."""
    tree = value.root() if value is not None and value.at is None else None
    if isinstance(tree, dict) and tree.get("t") in ("list", "tuple"):
        return signatures(tree["v"])
    return None


def _returned(evidence: Evidence) -> Value | None:
    return evidence.v2.outputs[0].value if evidence.v2.outputs else None


def _outputs_in_another_order(evidence: Evidence) -> bool:
    """The flow returns as many results as there are terminal tasks, and the same ones."""
    old, new = [_signature(output.value) for output in evidence.v1.outputs], _members(_returned(evidence))
    same = new is not None and old != new and sorted(old) == sorted(new)
    return evidence.difference.kind == "result" and len(old) > 1 and same


def _another_tasks_result(evidence: Evidence) -> bool:
    """The flow returns what a task gave that is not the terminal one, whose own result is right."""
    returned = _returned(evidence)
    if evidence.difference.kind != "result" or returned is None or len(evidence.v1.outputs) != 1:
        return False
    name, wanted = evidence.v1.outputs[0].name, evidence.v1.outputs[0].value.digest
    results = [(run.key.name, run.result.digest) for run in evidence.v2.user_tasks if run.result is not None]
    return (name, wanted) in results and any(digest == returned.digest for other, digest in results if other != name)


_FAMILIES: tuple[frozenset[str], ...] = (
    frozenset({"int", "float", "bool", "decimal", "fraction", "complex"}),
    frozenset({"list", "tuple", "deque", "set", "frozenset", "range"}),
    frozenset({"str", "date", "datetime", "time", "timedelta", "path", "uuid", "bytes", "bytearray"}),
    frozenset({"dict"}),
    frozenset({"None"}),
)


def _looks_alike(evidence: Evidence) -> bool:
    """The note says ``type: int and float``, and not two types of which neither stands for the other."""
    if not evidence.difference.note.startswith("type: "):
        return False
    types = evidence.difference.note.removeprefix("type: ").split(" and ")
    families = {family for name in types for family in _FAMILIES if name in family}
    return len(families) < 2


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
        _retries(lambda old, new: old > 0 and new == 0),
    ),
    Rule(
        "retries-off-by-one",
        "G06",
        "One attempt more or fewer",
        "`max_retries` and `retries` both count the attempts after the first one: neither counts the first.",
        "Set `retries` to the number that `max_retries` has.",
        _retries(lambda old, new: abs(old - new) == 1),
    ),
    Rule(
        "flow-retries",
        "G06",
        "The flow is retried, and its failed tasks with it",
        "`@flow(retries=…)` runs the flow function again, and failed task runs start over with all their retries; a "
        "Prefect 1 flow is not retried.",
        "Leave `retries` out of `@flow`, and give them to the tasks.",
        _flow_retried,
    ),
    Rule(
        "retries-changed",
        "G06",
        "Another number of retries",
        "`max_retries` of the Prefect 1 task and `retries` of the Prefect 2 task differ.",
        "Set `retries` to the number that `max_retries` has.",
        _retries(lambda old, new: True),
    ),
    Rule(
        "retry-condition",
        "G06",
        "Another number of attempts of as many retries",
        "Both tasks declare as many retries. One failed where the other did not, or not every exception is retried "
        "(`retry_on` in Prefect 1, `retry_condition_fn` in Prefect 2).",
        "Compare the states of the task's attempts, and the two conditions.",
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
        "trigger-lost",
        "G08",
        "The task does not run after a failed upstream",
        "A Prefect 1 trigger such as `all_finished` or `any_failed` let it run; a Prefect 2 task waits for its "
        "upstream tasks to complete, and stays NotReady when one failed.",
        "`task.submit(allow_failure(upstream))`; the failed upstream then arrives as its exception.",
        _trigger,
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
        "outputs-in-another-order",
        "G05",
        "The flow returns its results in another order",
        "Several terminal tasks are the output of the Prefect 1 flow, in the order of the flow; the tuple that the "
        "Prefect 2 flow returns holds the same results in another.",
        "Return them in the order of the old flow, or as a dict by the names of the tasks.",
        _outputs_in_another_order,
    ),
    Rule(
        "another-task-returned",
        "G05",
        "The flow returns the result of another task",
        "What the Prefect 2 flow returns is the result of a task that is not the terminal one of the Prefect 1 flow.",
        'Return the result of the last task, or name the output: `output = { v1 = "task:…" }` in the pair\'s table.',
        _another_tasks_result,
    ),
    Rule(
        "time-zone",
        "G20",
        "A time zone was lost or added",
        "Prefect 1's DateTimeParameter and context dates are aware, in UTC; Python's `datetime` and pydantic's parsing "
        "of a text without offset are naive.",
        "Attach the zone: `value.replace(tzinfo=timezone.utc)` or `pendulum.instance(value)`.",
        _result(lambda evidence: evidence.difference.note == "time zone on one side only"),
    ),
    Rule(
        "time-zone-changed",
        "G20",
        "The same instant in another time zone",
        "Both are aware and mean the same instant, with another offset: dates taken from it, and its text, differ.",
        "Convert it to the zone that it had: `value.astimezone(timezone.utc)`.",
        _result(_offset_changed),
    ),
    Rule(
        "type-changed",
        "G05",
        "The same value with another type",
        "The two results look alike and have different types; pydantic coerces parameters to their annotations.",
        "Convert explicitly, or annotate the parameter with the type that it had.",
        _result(_looks_alike),
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
