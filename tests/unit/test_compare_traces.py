"""Comparing traces that are built by hand: every row of the tables of states, alignment, outputs and the judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from equivalence import vocabulary
from equivalence.cases import Case
from equivalence.compare.align import align, fold, match_names
from equivalence.compare.outputs import OutputMatch, Uncomparable, match_outputs
from equivalence.compare.retries import declared_otherwise, same_delay
from equivalence.compare.rules import ValueRules
from equivalence.compare.states import Difference, Tally, compare_flow_exception, flow_kind, same_exception
from equivalence.compare.traces import Comparison, Rules, compare
from equivalence.compare.tree import Value
from equivalence.compare.values import compare_values
from equivalence.inside.faces import MAX_TEXT, exception_info
from equivalence.inside.values import encode
from equivalence.judge import Finding, Identity, Noise, judge, primary
from equivalence.trace import ExceptionInfo, Output, State, TaskKey, TaskRun, Trace, build

SUCCESS = {"v1": ("Success", "Success"), "v2": ("COMPLETED", "Completed")}
FAILED = {"v1": ("Failed", "Failed"), "v2": ("FAILED", "Failed")}
RUNNING = {"v1": ("Running", "Running"), "v2": ("RUNNING", "Running")}


def value(content: object, **skews: int) -> Value:
    """A value as it comes from a worker."""
    return Value.from_envelope({**encode(content), "skews": skews})


def run(side: str, name: str, final: tuple[str, str] | None = None, **fields: Any) -> TaskRun:
    """A task run that ended in this state, by default well and on its first attempt."""
    kind, state = final or SUCCESS[side]
    message = fields.pop("message", "")
    key = TaskKey(name, fields.pop("call", 0), fields.pop("index", None))
    fields.setdefault("attempts", 1)
    if "result" in fields:
        fields["result"] = value(fields["result"])
    return TaskRun(key=key, side=side, states=(State(kind, state, message, 0.0),), **fields)


def trace(side: str, *tasks: TaskRun, final: tuple[str, str] | None = None, **fields: Any) -> Trace:
    """A trace of one side that ended in this state, by default well."""
    kind, name = final or SUCCESS[side]
    return Trace(side=side, states=(State(kind, name, "", 0.0),), tasks=tasks, **fields)


def both(v1: Sequence[TaskRun], v2: Sequence[TaskRun], rules: Rules | None = None) -> Comparison:
    """Compare two traces that differ in their task runs only."""
    return compare(trace("v1", *v1), trace("v2", *v2), rules or Rules())


def kinds(comparison: Comparison) -> list[tuple[str, str]]:
    """The differences by kind and path."""
    return [(difference.kind, difference.path) for difference in comparison.differences]


# ------------------------------------------------------------------------------------------------- vocabulary

FLOW_STATES = [
    ("Success", ("COMPLETED", "Completed")),
    ("Success", ("COMPLETED", "any name of the user's")),
    ("Success", ("COMPLETED", "TimedOut")),
    ("Failed", ("FAILED", "Failed")),
    ("Failed", ("FAILED", "Skipped")),
    ("TimedOut", ("FAILED", "TimedOut")),
    ("Cancelled", ("CANCELLED", "Cancelled")),
    ("Crashed", ("CRASHED", "Crashed")),
    ("Paused", ("PAUSED", "Paused")),
    ("Skipped", ("COMPLETED", "Skipped")),
    ("TriggerFailed", ("PENDING", "NotReady")),
    ("TriggerFailed", ("FAILED", "TriggerFailed")),
    ("Cached", ("COMPLETED", "Cached")),
    ("Running", ("RUNNING", "Running")),
]


@pytest.mark.parametrize(("old", "new"), FLOW_STATES)
def test_states_that_are_the_same_kind(old: str, new: tuple[str, str]) -> None:
    """A state of Prefect 1 and one of Prefect 2 that mean the same have one kind."""
    one = vocabulary.kind_of_state("v1", State(old, old, "", 0.0))
    assert one == vocabulary.kind_of_state("v2", State(*new, "", 0.0))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Skipped", ("FAILED", "Skipped")),
        ("TimedOut", ("COMPLETED", "TimedOut")),
        ("Success", ("COMPLETED", "Cached")),
        ("Success", ("FAILED", "Completed")),
        ("Crashed", ("FAILED", "Crashed")),
        ("TriggerFailed", ("FAILED", "Failed")),
    ],
)
def test_a_name_never_outweighs_the_type(old: str, new: tuple[str, str]) -> None:
    """A Prefect 2 state whose author named it like another state keeps the kind of its type."""
    one = vocabulary.kind_of_state("v1", State(old, old, "", 0.0))
    assert one != vocabulary.kind_of_state("v2", State(*new, "", 0.0))


@pytest.mark.parametrize(
    ("task", "kind"),
    [
        (run("v1", "t", ("Cached", "Cached")), vocabulary.COMPLETED),
        (run("v1", "t", ("Cached", "Cached"), attempts=0), vocabulary.CACHED),
        (run("v1", "t", ("TriggerFailed", "TriggerFailed")), vocabulary.FAILED),
        (run("v1", "t", ("TriggerFailed", "TriggerFailed"), attempts=0), vocabulary.NOT_RUN),
        (run("v1", "t", ("Skipped", "Skipped")), vocabulary.NOT_RUN),
        (run("v1", "t", FAILED["v1"], attempts=0, message=vocabulary.UNMAPPED[0]), vocabulary.NOT_RUN),
        (run("v1", "t", FAILED["v1"], attempts=0, message=vocabulary.UNMAPPED[1]), vocabulary.NOT_RUN),
        (run("v1", "t", FAILED["v1"], attempts=1, message=vocabulary.UNMAPPED[0]), vocabulary.FAILED),
        (run("v1", "t", FAILED["v1"], attempts=0, message="Unexpected error"), vocabulary.FAILED),
        (run("v1", "t", ("ValidationFailed", "ValidationFailed")), vocabulary.FAILED),
    ],
)
def test_kind_of_a_task_run(task: TaskRun, kind: str) -> None:
    """What a Prefect 1 task run came to depends on whether it ever ran, not on its last state alone."""
    assert vocabulary.kind_of_task(task) == kind


@pytest.mark.parametrize(
    ("strictness", "old", "new", "same"),
    [
        ("outcome", "Success", ("COMPLETED", "Cached"), True),
        ("kind", "Success", ("COMPLETED", "Cached"), False),
        ("kind", "Success", ("COMPLETED", "Loaded"), True),
        ("exact", "Success", ("COMPLETED", "Loaded"), False),
        ("exact", "Success", ("COMPLETED", "Completed"), True),
        ("outcome", "Failed", ("FAILED", "TimedOut"), True),
        ("kind", "Failed", ("FAILED", "TimedOut"), False),
        ("outcome", "Success", ("FAILED", "Failed"), False),
    ],
)
def test_strictness_of_states(strictness: str, old: str, new: tuple[str, str], same: bool) -> None:
    """Three levels of strictness: whether it went well, what happened, and the engine's own name."""
    hit = run("v2", "t", new, attempts=0 if new[1] == "Cached" else 1)
    rules = Rules(states=strictness, compare=("tasks",))
    assert (kinds(both([run("v1", "t", (old, old))], [hit], rules)) == []) is same


def test_a_run_that_had_to_be_killed_is_no_declared_time_limit() -> None:
    """A v1 run that the host cut short does not equal a v2 flow that ran into its own time limit."""
    cut = trace("v1", final=("TimedOut", "TimedOut"), ended="TimedOut")
    own = trace("v2", final=("FAILED", "TimedOut"))
    assert kinds(compare(cut, own, Rules())) == [("final-state", "state")]
    assert flow_kind(cut) == flow_kind(trace("v2", final=("TimedOut", "TimedOut"), ended="TimedOut"))


# ------------------------------------------------------------------------------------------------- from events


def event(kind: str, **fields: Any) -> Mapping[str, Any]:
    """One event of a worker."""
    return {"e": kind, "at": 0.0, **fields}


def built(*states: tuple[str, Mapping[str, Any]], side: str = "v1") -> TaskRun:
    """The task run that these states make."""
    events = [event("task", run="t-1", name="t", call=0)]
    events += [event("task-state", run="t-1", type=kind, name=kind, **fields) for kind, fields in states]
    return build(side, events).tasks[0]


@pytest.mark.parametrize(
    ("states", "attempts"),
    [
        (["Running", "Success"], 1),
        (["Running", "Failed", "Retrying", "Running", "Success"], 2),
        (["Running", "Looped", "Running", "Looped", "Running", "Success"], 1),
        (["Running", "Looped", "Running", "Failed", "Retrying", "Running", "Success"], 2),
        (["Running", "Paused", "Resume", "Running", "Success"], 1),
        (["TriggerFailed"], 0),
        (["RUNNING", "FAILED", "SCHEDULED", "RUNNING", "COMPLETED"], 2),
    ],
)
def test_attempts_are_what_was_tried_again(states: Sequence[str], attempts: int) -> None:
    """An entry into Running is an attempt, unless it is the next round of a loop or the end of a pause."""
    assert built(*((state, {}) for state in states)).attempts == attempts


def test_a_failed_state_without_an_exception_keeps_its_message() -> None:
    """A failed state that was made by hand is a failure with the text of its message."""
    made = built(("RUNNING", {}), ("FAILED", {"message": "no rows"}), side="v2")
    assert made.failures == (ExceptionInfo("", "no rows"),)
    assert made.exception is None


def called(*calls: tuple[str, str, int]) -> list[int]:
    """The call numbers of Prefect 2 task runs, created in this order: (name, task key, dynamic key)."""
    events = [
        event("task", run=str(index), name=name, key=key, dynamic=str(dynamic), flow_run="f")
        for index, (name, key, dynamic) in enumerate(calls)
    ]
    return [task.key.call for task in build("v2", events).tasks]


@pytest.mark.parametrize(
    ("calls", "numbers"),
    [
        ([("t", "k", 0), ("t", "k", 1)], [0, 1]),
        ([("t", "k", 1), ("t", "k", 0)], [1, 0]),
        ([("t", "f1", 0), ("t", "f2", 0), ("t", "f1", 1)], [0, 1, 2]),
        ([("t", "f1", 1), ("t", "f2", 0), ("t", "f1", 0)], [2, 1, 0]),
        ([("one", "k", 0), ("two", "k", 1), ("one", "k", 2)], [0, 0, 1]),
        ([("t", "k", 10), ("t", "k", 9)], [1, 0]),
    ],
)
def test_calls_are_numbered_in_the_order_of_the_calls(calls: Any, numbers: Sequence[int]) -> None:
    """Concurrent creation, two functions of one name and renamed copies do not change which call is which."""
    assert called(*calls) == numbers


# ------------------------------------------------------------------------------------------------- alignment


def test_names_are_matched_as_configured_then_exactly_then_folded() -> None:
    """A configured name wins over the exact one, the exact one over the folded one; what is ambiguous stays alone."""
    assert match_names(["a"], ["b", "a"], {"a": "b"}) == {"a": "b"}
    assert match_names(["Load Data", "load_data"], ["load_data"], {}) == {"load_data": "load_data"}
    assert match_names(["Load Data"], ["load_data"], {}) == {"Load Data": "load_data"}
    assert match_names(["Load Data", "load-data"], ["load_data"], {}) == {}
    assert fold("Fetch-Rows_2 ") == "fetchrows2"


def test_a_map_is_matched_with_a_comprehension_of_calls() -> None:
    """Mapped children and the calls of a loop answer to each other in their order."""
    left = [run("v1", "t", index=index, result=index) for index in range(3)]
    right = [run("v2", "t", call=index, result=index) for index in range(3)]
    parent = run("v1", "t", ("Mapped", "Mapped"), attempts=0)
    assert kinds(both([parent, *left], right)) == []
    right[1] = run("v2", "t", call=1, result=7)
    assert kinds(both([parent, *left], right)) == [("task-result", "tasks.t[1].result")]


def test_runs_that_never_began_are_left_out_where_the_counts_differ() -> None:
    """A skipped branch of Prefect 1 has no counterpart in an ``if`` of Prefect 2, and needs none."""
    skipped = run("v1", "t", ("Skipped", "Skipped"), attempts=0)
    assert kinds(both([skipped, run("v1", "t", call=1, result=1)], [run("v2", "t", result=1)])) == []
    assert kinds(both([skipped], [])) == []


def test_where_the_counts_of_work_differ_equal_ones_find_each_other() -> None:
    """A call that is missing in the middle is the one that is reported."""
    left = [run("v1", "t", call=index, result=index) for index in range(4)]
    right = [run("v2", "t", call=at, result=index) for at, index in enumerate((0, 1, 3))]
    assert kinds(both(left, right)) == [("task-missing", "tasks.t#3")]
    assert [match.v2 is None for match in align(trace("v1", *left), trace("v2", *right), {})].count(True) == 1


@pytest.mark.parametrize(
    ("v1", "v2", "expected"),
    [
        (run("v1", "t"), None, [("task-missing", "tasks.t")]),
        (None, run("v2", "t"), [("task-extra", "tasks.t")]),
        (
            run("v1", "t", ("Skipped", "Skipped"), attempts=0, result=None),
            run("v2", "t", result=1),
            [("task-extra", "tasks.t")],
        ),
        (run("v1", "t", result=1), run("v2", "t", ("PENDING", "NotReady"), attempts=0), [("task-missing", "tasks.t")]),
        (
            run("v1", "t", ("TriggerFailed", "TriggerFailed"), attempts=0),
            run("v2", "t", ("PENDING", "NotReady"), attempts=0),
            [],
        ),
        (run("v1", "t", ("Skipped", "Skipped"), attempts=0), run("v2", "t", ("COMPLETED", "Skipped")), []),
        (
            run("v1", "t", ("Skipped", "Skipped"), result=1),
            run("v2", "t", ("COMPLETED", "Skipped"), attempts=2, result=2),
            [],
        ),
        (run("v1", "t", ("Skipped", "Skipped")), run("v2", "t"), [("task-state", "tasks.t.state")]),
        (run("v1", "t", FAILED["v1"]), run("v2", "t"), [("task-state", "tasks.t.state")]),
        (run("v1", "t", attempts=3), run("v2", "t", attempts=2), [("retry-count", "tasks.t.attempts")]),
        (run("v1", "t", delays=(60.0,)), run("v2", "t", delays=(1.0,)), [("retry-delay", "tasks.t.delays[0]")]),
        (run("v1", "t", result=1), run("v2", "t", result=1.0), [("task-result", "tasks.t.result")]),
    ],
)
def test_one_task(v1: TaskRun | None, v2: TaskRun | None, expected: list[tuple[str, str]]) -> None:
    """Each way in which one task can differ is one finding of its own kind; what did no work differs in none."""
    assert kinds(both([v1] if v1 else [], [v2] if v2 else [])) == expected


def test_engine_made_tasks_are_left_out() -> None:
    """Parameters, constants and collections of Prefect 1 have no counterpart and need none."""
    assert kinds(both([run("v1", "List", engine_made="collection", result=[1])], [])) == []


@pytest.mark.parametrize(
    ("old", "new", "same"), [(0.6, 0.0, True), (60.0, 60.4, True), (60.0, 61.0, False), (60.0, 1.0, False)]
)
def test_delays_to_the_whole_second(old: float, new: float, same: bool) -> None:
    """Prefect 2 keeps whole seconds only; anything beyond is a difference."""
    assert same_delay(old, new) is same


def test_what_tasks_declare_and_no_case_tested_is_a_contract() -> None:
    """Other retries, delays, time limits and lost tags are differences of their own; tags that came in are none."""
    old = run("v1", "t", retries=2, declared=(60.0,), timeout=5, tags=("db", "slow"))
    new = run("v2", "t", retries=3, declared=(1.0,), tags=("slow", "new"))
    assert kinds(both([old], [new])) == [
        ("contract", "tasks.t.retries"),
        ("contract", "tasks.t.timeout"),
        ("contract", "tasks.t.retry_delay"),
        ("contract", "tasks.t.tags"),
    ]
    same = run("v2", "t", retries=2, declared=(60.0, 60.0), timeout=5.0, tags=("slow", "db", "new"))
    assert list(declared_otherwise(old, same)) == []
    assert list(declared_otherwise(old, run("v2", "t", retries=3, attempts=2))) == []


# ------------------------------------------------------------------------------------------------- exceptions


@pytest.mark.parametrize(
    ("old", "new", "same", "rule"),
    [
        (("builtins:ValueError", "x"), ("builtins:ValueError", "x"), True, None),
        (("builtins:ValueError", "x"), ("builtins:ValueError", "y"), False, None),
        (("builtins:ValueError", "x"), ("builtins:KeyError", "x"), False, None),
        (("builtins:ValueError", "1", "", "args=(1,)"), ("builtins:ValueError", "1"), False, None),
        (("prefect.engine.signals:FAIL", "x"), ("builtins:RuntimeError", "x"), True, "signal"),
        (("prefect.engine.signals:FAIL", "x"), ("builtins:RuntimeError", "y"), False, None),
        (
            ("prefect.utilities.exceptions:TaskTimeoutSignal", "Timed out"),
            ("builtins:TimeoutError", ""),
            True,
            "timeout",
        ),
        (("builtins:ValueError", "x"), ("", "x"), True, "failed-state"),
        (("builtins:ValueError", "x"), ("", "y"), False, None),
        (("socket:timeout", "x"), ("builtins:TimeoutError", "x"), True, "python-alias"),
        (("E", "<X object at 0x7f01>"), ("E", "<X object at 0x7f02>"), True, "memory-address"),
        (("E", "bad id 0xdeadbeef"), ("E", "bad id 0xdeadbee0"), False, None),
    ],
)
def test_same_exception(old: tuple[str, ...], new: tuple[str, ...], same: bool, rule: str | None) -> None:
    """Exceptions are the same by class, text and arguments; each exception to that is counted under its name."""
    tally = Tally()
    assert same_exception(ExceptionInfo(*old), ExceptionInfo(*new), tally) is same
    assert list(tally.normalised) == ([rule] if rule and same else [])


class WithCode(Exception):
    """An exception of a user's, whose text does not say everything."""

    def __init__(self, code: int) -> None:
        super().__init__("failed")
        self.code = code


def group(*members: Exception) -> Exception:
    """An exception group where Python has them, else an exception that looks like one."""
    made = Exception("g")
    made.exceptions = members  # type: ignore[attr-defined]
    return made


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ValueError(1), ValueError("1")),
        (KeyError(1), KeyError("1")),
        (ValueError("x" * (2 * MAX_TEXT) + "a"), ValueError("x" * (2 * MAX_TEXT) + "b")),
        (group(ValueError("a")), group(ValueError("b"))),
        (group(ValueError("a")), group(KeyError("a"))),
    ],
)
def test_exceptions_that_read_alike_are_told_apart(one: Exception, other: Exception) -> None:
    """Arguments of another type, long texts that differ behind the cut, and members of groups are not lost."""
    old, new = ({**exception_info(error), "traceback": ""} for error in (one, other))
    assert old != new
    assert not same_exception(ExceptionInfo(**old), ExceptionInfo(**new), Tally())


def test_attributes_of_a_users_own_exception_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two exceptions of a user's class with one text differ by their attributes."""
    monkeypatch.setattr("equivalence.inside.classes.in_library", lambda path: False)
    assert exception_info(WithCode(1))["details"] != exception_info(WithCode(2))["details"]
    assert exception_info(WithCode(1))["details"] == exception_info(WithCode(1))["details"]


def test_an_object_in_the_arguments_of_an_exception_is_left_out() -> None:
    """What is no plain data is no part of an exception: its insides differ from one version to the next."""
    assert exception_info(ValueError(object()))["details"] == ""


def test_exceptions_of_attempts() -> None:
    """The exception of an earlier attempt is compared as well as the last one."""
    fail = [ExceptionInfo("builtins:ValueError", text) for text in "abc"]
    old = run("v1", "t", FAILED["v1"], attempts=2, failures=(fail[0], fail[1]))
    assert kinds(both([old], [run("v2", "t", FAILED["v2"], attempts=2, failures=(fail[2], fail[1]))])) == [
        ("exception", "tasks.t.attempts[0].exception")
    ]
    assert kinds(both([old], [run("v2", "t", FAILED["v2"], attempts=2, failures=(fail[0], fail[2]))])) == [
        ("exception", "tasks.t.exception")
    ]


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (None, 0),
        (ExceptionInfo("builtins:ValueError", "x"), 0),
        (ExceptionInfo("builtins:RuntimeError", "x"), 1),
        (ExceptionInfo("prefect.exceptions:UpstreamTaskError", "any"), 0),
    ],
)
def test_what_the_flow_function_raises(raised: ExceptionInfo | None, expected: int) -> None:
    """A flow function may raise what failed in Prefect 1, or Prefect's own words for it, and nothing else."""
    old = trace(
        "v1", run("v1", "t", FAILED["v1"], failures=(ExceptionInfo("builtins:ValueError", "x"),)), final=FAILED["v1"]
    )
    new = trace("v2", final=FAILED["v2"], exception=raised)
    assert len(list(compare_flow_exception(old, new, Tally()))) == expected


def test_an_old_flow_that_fails_in_another_way_each_time_disagrees_with_itself() -> None:
    """Two Prefect 1 runs whose tasks raised different texts differ at the flow's exception too."""
    one, two = (
        trace("v1", run("v1", "t", FAILED["v1"], failures=(ExceptionInfo("E", text),)), final=FAILED["v1"])
        for text in "ab"
    )
    assert [difference.path for difference in compare_flow_exception(one, two, Tally())] == ["exception"]
    assert list(compare_flow_exception(one, one, Tally())) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"), [(False, False, 0), (True, True, 0), (True, False, 1), (False, True, 1)]
)
def test_refusals(old: bool, new: bool, expected: int) -> None:
    """Parameters that one flow refuses and the other takes are a difference, and then the only one."""
    no = ExceptionInfo("builtins:ValueError", "no")
    v1 = trace("v1", run("v1", "t"), rejected=no if old else None)
    v2 = trace("v2", rejected=no if new else None, final=FAILED["v2"] if new else None)
    found = [difference for difference in kinds(compare(v1, v2, Rules())) if difference[0] == "parameter"]
    assert len(found) == expected


# ------------------------------------------------------------------------------------------------- outputs


def outputs(v1: Mapping[str, object], v2: object, **fields: Any) -> list[tuple[str, bool] | str]:
    """What is matched: the path below ``result`` and whether the two are equal, or why nothing is."""
    new = () if fields.get("returned_nothing") else (Output("return", value(v2)),)
    left = trace("v1", outputs=tuple(Output(name, value(content)) for name, content in v1.items()))
    found = match_outputs(left, trace("v2", outputs=new, **fields), None, None)
    return [(item.suffix, _equal(item)) if isinstance(item, OutputMatch) else item.why for item in found]


def _equal(item: OutputMatch) -> bool:
    return not compare_values(item.v1, item.v2, path="result", rules=ValueRules()).differences


def test_outputs_of_one_terminal_task() -> None:
    """One terminal task answers to the return value."""
    assert outputs({"a": 1}, 1) == [("", True)]
    assert outputs({"a": 1}, {"a": 1}) == [("", False)]


def test_outputs_of_several_terminal_tasks() -> None:
    """Several answer to a dict by their names, to a list or tuple in their order, or to the one that is not None."""
    assert outputs({"a": 1, "b": 2}, {"B": 2, "a": 1}) == [(".a", True), (".b", True)]
    assert outputs({"a": 1, "b": 2}, {"b": 1, "a": 2}) == [(".a", False), (".b", False)]
    assert outputs({"a": 1, "b": 2}, [1, 2]) == outputs({"a": 1, "b": 2}, (1, 2)) == [("[0]", True), ("[1]", True)]
    assert outputs({"a": None, "b": 2}, 2) == [("", True)]


def test_outputs_that_only_one_side_has_are_said() -> None:
    """A dict with more or fewer names is compared where both have a value, and the rest is named."""
    assert outputs({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}) == [
        (".a", True),
        (".b", False),
        "result.c: only v2 gives it",
    ]
    assert outputs({"a": 1, "b": 2, "c": None}, {"a": 0}) == [(".a", False), "result.b: only v1 gives it"]
    (why,) = outputs({"a": 1, "b": 2}, {"x": 1, "y": 2})
    assert isinstance(why, str)
    assert "task:" in why


def test_outputs_that_cannot_be_compared_are_said() -> None:
    """No terminal task, nothing returned, or a value that answers to none of several: it is said which."""
    assert outputs({}, 1) == ["result: the v1 flow has no terminal task that ended; the tasks were compared"]
    assert outputs({"a": 1}, None, returned_nothing=True) == [
        "result: the v2 flow returns nothing; the tasks were compared"
    ]
    assert outputs({"a": None}, None, returned_nothing=True) == []
    assert "ends in 2 tasks (a, b)" in str(outputs({"a": 1, "b": 2}, 3)[0])


def test_output_of_a_named_task() -> None:
    """``output`` picks the result of a task on either side."""
    new = trace("v2", run("v2", "load", result=5), outputs=(Output("return", value("ignored")),))
    old = trace("v1", outputs=(Output("store", value(5)),))
    (item,) = match_outputs(old, new, "task:store", "task:load")
    assert isinstance(item, OutputMatch)
    assert item.v1.digest == item.v2.digest
    (missing,) = match_outputs(old, new, "task:store", "task:nowhere")
    assert isinstance(missing, Uncomparable)
    assert "'nowhere'" in missing.why


def test_both_traces_of_one_side_are_compared_output_by_output() -> None:
    """A flow against itself is compared in every output it has."""
    one = trace("v1", outputs=(Output("a", value(1)), Output("b", value(2))))
    two = trace("v1", outputs=(Output("a", value(1)), Output("b", value(3))))
    assert kinds(compare(one, two, Rules())) == [("result", "result.b")]


def test_results_are_compared_only_of_flows_that_ended_well() -> None:
    """The output of a failed flow is no result."""
    old = trace("v1", outputs=(Output("a", value(1)),))
    new = trace("v2", outputs=(Output("return", value(2)),))
    assert kinds(compare(old, new, Rules())) == [("result", "result")]
    failed = trace("v1", outputs=(Output("a", value(1)),), final=FAILED["v1"])
    assert kinds(compare(failed, trace("v2", final=FAILED["v2"]), Rules())) == []


def test_aspects_that_are_not_asked_for_are_not_compared() -> None:
    """``compare`` leaves out states, results, exceptions, tasks or retries."""
    old = trace("v1", run("v1", "t", attempts=2, result=1), outputs=(Output("t", value(1)),))
    new = trace("v2", run("v2", "t", FAILED["v2"], result=2), outputs=(Output("return", value(2)),), final=FAILED["v2"])
    everything = {kind for kind, _ in kinds(compare(old, new, Rules()))}
    assert everything == {"final-state", "task-state", "retry-count", "task-result"}
    assert {kind for kind, _ in kinds(compare(old, new, Rules(compare=("state",))))} == {"final-state"}
    assert {kind for kind, _ in kinds(compare(old, new, Rules(compare=("retries",))))} == {"retry-count"}
    assert {kind for kind, _ in kinds(compare(old, new, Rules(compare=("tasks",))))} == {"task-state", "task-result"}


# ------------------------------------------------------------------------------------------------- the judge


def comparison(*paths: str, kind: str = "task-result") -> Comparison:
    """A comparison that found these paths."""
    found = tuple(
        Difference(kind, path, "1", "2", path.split(".")[1] if path.startswith("tasks.") else None) for path in paths
    )
    return Comparison(found, 1, (), {}, {}, (), ())


def judged(path: str, again: Sequence[Comparison], old: Comparison, new: Comparison) -> Finding | Noise:
    """What becomes of a finding at a path."""
    difference = Difference("task-result", path, "1", "2", "a")
    return judge(Finding("id", difference, Case({})), again, old, new)


A, NONE = "tasks.a.result.x", comparison()


def test_a_finding_that_comes_again_is_confirmed() -> None:
    """Seen in every run while the old flow agrees with itself: a confirmed finding."""
    verdict = judged(A, [comparison(A), comparison(A)], NONE, NONE)
    assert isinstance(verdict, Finding)
    assert verdict.confirmed


@pytest.mark.parametrize("path", ["tasks.a.result.x", "tasks.a.result", "tasks.a.result.x[0]", "tasks.a"])
def test_where_the_old_flow_disagrees_with_itself_is_noise(path: str) -> None:
    """Noise of the old flow at, above or below the path makes a difference noise."""
    assert isinstance(judged(A, [comparison(A)] * 2, comparison(path), NONE), Noise)


@pytest.mark.parametrize("path", ["tasks.a.result.y", "tasks.a.result.xy", "tasks.b.result.x", "tasks.a.state"])
def test_noise_elsewhere_does_not_hide_a_finding(path: str) -> None:
    """Noise beside the path, also at a name of the same length, leaves the finding standing."""
    assert isinstance(judged(A, [comparison(A)] * 2, comparison(path), NONE), Finding)


def test_a_new_flow_that_disagrees_with_itself_is_a_finding() -> None:
    """What only the new flow draws at random is a finding, with a note, though it does not come every time."""
    verdict = judged(A, [comparison(A), NONE], NONE, comparison(A))
    assert isinstance(verdict, Finding)
    assert not verdict.confirmed
    assert "the new flow disagrees with itself" in verdict.difference.note


def test_what_never_came_again_is_noise() -> None:
    """A difference that two stable flows showed once is reported as noise."""
    verdict = judged(A, [comparison(A), NONE], NONE, NONE)
    assert isinstance(verdict, Noise)
    assert "did not come again" in verdict.reason


def test_identity_leaves_out_indexes() -> None:
    """Two children or calls with one difference are one finding; two attributes are two."""
    one, two, three = (
        Identity.of(Difference("task-result", path, "", ""))
        for path in ("tasks.a[3].result[17].x", "tasks.a#2[0].result[2].x", "tasks.a.result.y")
    )
    assert one.path == "tasks.a[*].result[*].x" == two.path
    assert three != one


def test_the_primary_difference_lies_at_a_task() -> None:
    """Where two traces first disagree is a task, if any does, before the flow itself."""
    mixed = Comparison(comparison("state", A).differences, 1, (), {}, {}, (), ())
    assert primary(mixed) == Identity("task-result", A)
    assert primary(comparison("state", kind="final-state")) == Identity("final-state", "state")
    assert primary(NONE) is None
