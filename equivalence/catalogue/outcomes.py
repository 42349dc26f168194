"""Rules for final states, outputs and values: G03, G04, G05, G20."""

from __future__ import annotations

import re
from datetime import datetime

from equivalence import vocabulary
from equivalence.catalogue.rule import Evidence, Rule, note_has, of_final_state, of_result
from equivalence.compare.tree import Value, signature, signatures
from equivalence.trace import TaskRun

_DATETIME = re.compile(r'datetime\("([^"]+)"\)')

_FAMILIES: tuple[frozenset[str], ...] = (
    frozenset({"int", "float", "bool", "decimal", "fraction", "complex"}),
    frozenset({"list", "tuple", "deque", "set", "frozenset", "range"}),
    frozenset({"str", "date", "datetime", "time", "timedelta", "path", "uuid", "bytes", "bytearray"}),
    frozenset({"dict"}),
    frozenset({"None"}),
)


def _v2_failed_tasks(evidence: Evidence) -> list[TaskRun]:
    return [run for run in evidence.v2.user_tasks if vocabulary.kind_of_task(run) == vocabulary.FAILED]


def _hidden_failure(evidence: Evidence) -> bool:
    kind = vocabulary.kind_of_state("v2", evidence.v2.final)
    return kind == vocabulary.COMPLETED and bool(_v2_failed_tasks(evidence))


def _all_runs_count(evidence: Evidence) -> bool:
    kind = vocabulary.kind_of_state("v2", evidence.v2.final)
    old = vocabulary.kind_of_state("v1", evidence.v1.final)
    return kind == vocabulary.FAILED and old == vocabulary.COMPLETED and evidence.v2.returned_nothing


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


def _looks_alike(evidence: Evidence) -> bool:
    """The note says ``type: int and float``, and not two types of which neither stands for the other."""
    if not evidence.difference.note.startswith("type: "):
        return False
    types = evidence.difference.note.removeprefix("type: ").split(" and ")
    families = {family for name in types for family in _FAMILIES if name in family}
    return len(families) < 2


RULES: tuple[Rule, ...] = (
    Rule(
        "failure-hidden-by-return-value",
        "G04",
        "A task failed and the flow is Completed",
        "Prefect 2 decides the final state by the return value: data, or a dict or nested list of futures, hides a "
        "failed task run that Prefect 1's reference tasks would have counted.",
        "Return the futures or states that count, in a flat list, or let the exception leave the flow function.",
        "Prefect 2 docs: Flows, Final state determination",
        of_final_state(_hidden_failure),
    ),
    Rule(
        "all-task-runs-count",
        "G04",
        "A failed task fails the flow that returns nothing",
        "A Prefect 2 flow that returns None fails when any task run failed; in Prefect 1 only reference tasks count, "
        "by default the terminal ones.",
        "Return the state or value of what was the reference task.",
        "Prefect 2 docs: Flows, Final state determination",
        of_final_state(_all_runs_count),
    ),
    Rule(
        "outputs-in-another-order",
        "G05",
        "The flow returns its results in another order",
        "Several terminal tasks are the output of the Prefect 1 flow, in the order of the flow; the tuple that the "
        "Prefect 2 flow returns holds the same results in another.",
        "Return them in the order of the old flow, or as a dict by the names of the tasks.",
        "Prefect 2 docs: Flows, Final state determination",
        _outputs_in_another_order,
    ),
    Rule(
        "another-task-returned",
        "G05",
        "The flow returns the result of another task",
        "What the Prefect 2 flow returns is the result of a task that is not the terminal one of the Prefect 1 flow.",
        'Return the result of the last task, or name the output: `output = { v1 = "task:…" }` in the pair\'s table.',
        "Prefect 2 docs: Flows, Final state determination",
        _another_tasks_result,
    ),
    Rule(
        "time-zone",
        "G20",
        "A time zone was lost or added",
        "Prefect 1's DateTimeParameter and context dates are aware, in UTC; Python's `datetime` and pydantic's parsing "
        "of a text without offset are naive.",
        "Attach the zone: `value.replace(tzinfo=timezone.utc)` or `pendulum.instance(value)`.",
        "Python docs: datetime, Aware and naive objects",
        of_result(lambda evidence: evidence.difference.note == "time zone on one side only"),
    ),
    Rule(
        "time-zone-changed",
        "G20",
        "The same instant in another time zone",
        "Both are aware and mean the same instant, with another offset: dates taken from it, and its text, differ.",
        "Convert it to the zone that it had: `value.astimezone(timezone.utc)`.",
        "Python docs: datetime, Aware and naive objects",
        of_result(_offset_changed),
    ),
    Rule(
        "order-changed",
        "G12",
        "The same members in another order",
        "Prefect 1 hands on mapped results in the order of the input; the new flow collects them otherwise.",
        "Gather results in the order of submission: `[future.result() for future in futures]`.",
        "Prefect 2 docs: Tasks, Map",
        note_has("another order", "result", "task-result"),
    ),
    Rule(
        "type-changed",
        "G05",
        "The same value with another type",
        "The two results look alike and have different types; pydantic coerces parameters to their annotations.",
        "Convert explicitly, or annotate the parameter with the type that it had.",
        "Prefect 2 docs: Flows, Parameters",
        of_result(_looks_alike),
    ),
)
