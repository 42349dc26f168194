"""Order of dependent tasks, rounds of loops, log lines and acts of handlers, with traces built by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from equivalence.compare.acts import compare_acts
from equivalence.compare.align import align
from equivalence.compare.logs import compare_logs
from equivalence.compare.order import compare_order
from equivalence.compare.states import Difference, Tally
from equivalence.compare.traces import Rules, compare
from equivalence.trace import Act, LogLine, State, TaskKey, TaskRun, Trace

ENDS = {"v1": ("Running", "Success"), "v2": ("RUNNING", "COMPLETED")}


def run(side: str, name: str, *, upstream: Sequence[str] = (), after: Sequence[str] = (), call: int = 0) -> TaskRun:
    """A task run that went well; its id is side and name."""
    states = tuple(State(kind, kind.capitalize(), "", 0.0) for kind in ENDS[side])
    return TaskRun(
        TaskKey(name, call),
        side,
        states,
        1,
        upstream=tuple(upstream),
        run=f"{side}-{name}-{call}",
        after=frozenset(after),
    )


def traces(old: Sequence[TaskRun], new: Sequence[TaskRun]) -> tuple[Trace, Trace]:
    """Two traces of flows that went well."""
    return (
        Trace("v1", states=(State("Success", "Success", "", 0.0),), tasks=tuple(old)),
        Trace("v2", states=(State("COMPLETED", "Completed", "", 0.0),), tasks=tuple(new), returned_nothing=True),
    )


def shown(differences: Sequence[Difference]) -> list[tuple[str, str, str]]:
    """Path and texts of each."""
    return [(one.path, one.v1, one.v2) for one in differences]


def order(old: Sequence[TaskRun], new: Sequence[TaskRun]) -> list[tuple[str, str, str]]:
    """What the order of two traces differs in."""
    v1, v2 = traces(old, new)
    return shown(list(compare_order(v1, align(v1, v2, {}))))


def test_a_task_that_waits_no_more_is_told_with_what_it_waited_for() -> None:
    """Certain is what was waited for or handed on; that it ran first is none."""
    old = [run("v1", "a"), run("v1", "b", upstream=["v1-a-0"])]
    assert order(old, [run("v2", "a"), run("v2", "b", after=["v2-a-0"])]) == []
    assert order(old, [run("v2", "a"), run("v2", "b")]) == [("tasks.b.order", "after a", "not waiting for a")]


def test_dependencies_reach_through_engine_made_tasks() -> None:
    """A collection between two tasks orders them in Prefect 1."""
    between = replace(run("v1", "List", upstream=["v1-a-0"]), engine_made="collection")
    old = [run("v1", "a"), between, run("v1", "b", upstream=["v1-List-0"])]
    assert order(old, [run("v2", "a"), run("v2", "b")]) == [("tasks.b.order", "after a", "not waiting for a")]


def test_a_lost_order_is_said_where_it_is_not_compared() -> None:
    """Without "order" it is no finding, and the line to write is named."""
    v1, v2 = traces([run("v1", "a"), run("v1", "b", upstream=["v1-a-0"])], [run("v2", "a"), run("v2", "b")])
    comparison = compare(v1, v2, Rules())
    assert comparison.differences == ()
    assert any('compare = [..., "order"]' in said for said in comparison.uncompared)
    asked = compare(v1, v2, Rules(compare=("tasks", "order")))
    assert [one.kind for one in asked.differences] == ["order"]


def test_rounds_of_a_loop_are_matched_with_calls() -> None:
    """LOOP twice is three calls; another number is a difference, and one call is a loop inside the task."""
    states = tuple(
        State(kind, kind, "", 0.0) for kind in ("Running", "Looped", "Running", "Looped", "Running", "Success")
    )
    old = replace(run("v1", "t"), states=states)
    calls = [run("v2", "t", call=number) for number in range(4)]
    found = [compare(*traces([old], calls[:count]), Rules()).differences for count in (1, 2, 3, 4)]
    assert [[(one.kind, one.path) for one in each] for each in found] == [
        [],
        [("task-missing", "tasks.t.rounds")],
        [],
        [("task-extra", "tasks.t.rounds")],
    ]


def test_log_lines_are_compared_task_by_task() -> None:
    """Level and text count, and the first line that differs is told; lines of the flow function have no counterpart."""
    v1, v2 = traces([run("v1", "a")], [run("v2", "a")])
    v1 = replace(v1, logs=(LogLine("INFO", "one", "v1-a-0"), LogLine("INFO", "two", "v1-a-0")))
    same = (LogLine("INFO", "one", "v2-a-0"), LogLine("INFO", "flow", None), LogLine("INFO", "two", "v2-a-0"))
    tally = Tally()
    matches = align(v1, v2, {})
    assert list(compare_logs(v1, replace(v2, logs=same), matches, tally)) == []
    assert tally.normalised == {"flow-function-logs": 1}
    louder = (LogLine("INFO", "one", "v2-a-0"), LogLine("ERROR", "two", "v2-a-0"))
    assert shown(list(compare_logs(v1, replace(v2, logs=louder), matches, Tally()))) == [
        ("tasks.a.logs[1]", "INFO two", "ERROR two")
    ]


def acts(old: Sequence[Act], new: Sequence[Act], functions: Sequence[str] = ("tell",)) -> list[tuple[str, str, str]]:
    """What handlers of two flows with a task ``a`` differ in."""
    v1, v2 = traces([run("v1", "a")], [run("v2", "a")])
    v1 = replace(v1, acts=tuple(old), functions=("tell",))
    v2 = replace(v2, acts=tuple(new), functions=tuple(functions))
    return shown(list(compare_acts(v1, v2, align(v1, v2, {}), Tally())))


def test_acts_of_handlers_and_hooks_are_compared_by_what_they_were_about() -> None:
    """A hook, or a call by the flow function, stands for what the handler did; one too few or too many is told."""
    done = Act("tell", "v1-a-0", "Success", True, 1)
    hook = Act("tell", "v2-a-0", "Completed", True, 1)
    call = Act("tell", None, "", False)
    assert acts([done], [hook]) == acts([done], [call]) == acts([], []) == []
    assert acts([done], []) == [("tasks.a.effects.tell", "called for a (Success)", "not called")]
    assert acts([], [hook]) == [("tasks.a.effects.tell", "not called", "called for a (Completed)")]
    assert acts([done], [], functions=()) == []  # said instead: it may have another name


def test_a_handler_called_at_each_attempt_is_one_hook() -> None:
    """Prefect 1 calls on every failed attempt, Prefect 2 on the last one."""
    old = run("v1", "a")
    kinds = ("Running", "Failed", "Retrying", "Running", "Failed")
    old = replace(old, states=tuple(State(kind, kind, "", 0.0) for kind in kinds), attempts=2)
    v1, v2 = traces([old], [run("v2", "a")])
    called = (Act("tell", "v1-a-0", "Failed", True, 1), Act("tell", "v1-a-0", "Failed", True, 4))
    v1 = replace(v1, acts=called, functions=("tell",))
    v2 = replace(v2, acts=(Act("tell", "v2-a-0", "Failed", True, 1),), functions=("tell",))
    tally = Tally()
    assert list(compare_acts(v1, v2, align(v1, v2, {}), tally)) == []
    assert tally.normalised == {"handler-at-each-attempt": 1}
