"""What is certain to be over before a task begins, and how order, resources and loops are compared by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from equivalence.compare.order import ancestors, mapped_children
from equivalence.compare.traces import ASPECTS, Comparison, Rules, compare
from equivalence.trace import State, TaskKey, TaskRun, Trace, build

ENDS = {"v1": ("Success", "Success"), "v2": ("COMPLETED", "Completed")}
LINE = 'compare = [..., "order"]'


def task(name: str, *, flow: str = "flow", **fields: Any) -> dict[str, Any]:
    """The event of a Prefect 2 task run that is created."""
    return {"e": "task", "run": name, "name": name, "flow_run": flow, "futures": [], **fields}


def after(*events: Mapping[str, Any]) -> dict[str, set[str]]:
    """What is certainly over before each task run of these events."""
    return {run.run: set(run.after) for run in build("v2", events).tasks}


def waited(name: str) -> dict[str, Any]:
    """The event of a wait."""
    return {"e": "waited", "run": name}


# ------------------------------------------------------------------------------------------ what is certainly over


def test_being_submitted_first_is_no_order() -> None:
    """Two tasks that were submitted one after the other run beside each other."""
    assert after(task("a"), task("b")) == {"a": set(), "b": set()}


def test_futures_and_waits_order() -> None:
    """A future that is handed on, and a wait, order; so does what these were ordered by themselves."""
    events = [task("a"), task("b", futures=["a"]), task("c", futures=["b"]), waited("c"), task("d")]
    assert after(*events) == {"a": set(), "b": {"a"}, "c": {"a", "b"}, "d": {"a", "b", "c"}}


def test_recorded_inputs_serve_where_futures_are_not_known() -> None:
    """Releases whose engine cannot be asked for futures give the inputs that it records."""
    assert after(task("a"), task("b", futures=None, upstream=["a", "elsewhere"]))["b"] == {"a"}


def test_recorded_inputs_that_are_no_futures_do_not_order() -> None:
    """The engine takes an equal text for the result of a task run, and does not wait for that."""
    assert after(task("a"), task("b", upstream=["a"]))["b"] == set()


def test_a_sequential_runner_orders_its_own_flow() -> None:
    """Under a sequential runner all that its flow submitted is over, and nothing of another flow."""
    events = [task("a"), task("x", flow="other"), task("b", sequential=True)]
    assert after(*events)["b"] == {"a"}


def test_a_subflow_begins_after_what_its_caller_waited_for_and_ends_with_its_tasks() -> None:
    """The tasks of a subflow come after those of its caller, and are over when the flow is."""
    events = [
        task("a"),
        task("call", futures=["a"]),
        {"e": "child", "run": "sub", "within": "call", "name": "sub", "parameters": {}},
        task("b", flow="sub"),
        {"e": "flow-ended", "flow_run": "sub"},
        task("c"),
    ]
    assert after(*events) == {"a": set(), "call": {"a"}, "b": {"a"}, "c": {"a", "b"}}


# ------------------------------------------------------------------------------------------------- compared by it


def run(side: str, name: str, at: float = 0.0, **fields: Any) -> TaskRun:
    """A task run that went well; its id is its name as shown."""
    key = TaskKey(name, 0, fields.pop("index", None))
    begins = State({"v1": "Running", "v2": "RUNNING"}[side], "Running", "", at)
    states = fields.pop("states", (begins, State(*ENDS[side], "", at)))
    return TaskRun(key=key, side=side, states=states, run=fields.pop("id", key.shown), **{"attempts": 1, **fields})


def both(old: Sequence[TaskRun], new: Sequence[TaskRun], order: bool = True, **rules: Any) -> Comparison:
    """Compare two traces of these task runs."""
    v1, v2 = (Trace(runs[0].side, (State(*ENDS[runs[0].side], "", 0.0),), tasks=tuple(runs)) for runs in (old, new))
    return compare(v1, v2, Rules(compare=(*ASPECTS, "order") if order else ASPECTS, **rules))


def told(comparison: Comparison) -> list[tuple[str, str, str, str]]:
    """The differences by kind, path and both texts."""
    return [(one.kind, one.path, one.v1, one.v2) for one in comparison.differences]


def said(comparison: Comparison) -> list[str]:
    """What was not compared, but for the output, of which these traces have none."""
    return [line for line in comparison.uncompared if not line.startswith("result: ")]


PAIR_V1 = [run("v1", "load"), run("v1", "index", upstream=("load",))]


@pytest.mark.parametrize(
    ("load_at", "certain", "text"),
    [
        (0.0, frozenset({"load"}), None),
        (0.0, frozenset(), "not waiting for load"),
        (2.0, frozenset(), "before load"),
    ],
)
def test_a_dependency_is_kept_lost_or_turned(load_at: float, certain: frozenset[str], text: str | None) -> None:
    """What was upstream in v1 is certainly over in v2, or may be under way, or comes later."""
    comparison = both(PAIR_V1, [run("v2", "load", load_at), run("v2", "index", 1.0, after=certain)])
    assert told(comparison) == ([("order", "tasks.index.order", "after load", text)] if text else [])


def test_order_is_said_where_it_is_not_asked_for() -> None:
    """Without the word a lost dependency is no finding, and one line names what to write."""
    comparison = both(PAIR_V1, [run("v2", "load"), run("v2", "index")], order=False)
    assert told(comparison) == []
    assert [LINE in line and "index not waiting for load" in line for line in said(comparison)] == [True]


def test_nothing_is_said_of_dependencies_that_are_kept() -> None:
    """A flow whose order is certain needs no word about it."""
    comparison = both(PAIR_V1, [run("v2", "load"), run("v2", "index", after=frozenset({"load"}))], order=False)
    assert said(comparison) == []


def test_a_dependency_through_what_prefect_made_or_left_out_counts() -> None:
    """Upstream is found through engine-made tasks and through one that was skipped."""
    skipped = (State("Skipped", "Skipped", "", 0.0),)
    old = [
        run("v1", "load"),
        run("v1", "List", engine_made="collection", upstream=("load",)),
        run("v1", "check", states=skipped, attempts=0, upstream=("List",)),
        run("v1", "index", upstream=("check",)),
    ]
    comparison = both(old, [run("v2", "load"), run("v2", "index")])
    assert told(comparison) == [("order", "tasks.index.order", "after load", "not waiting for load")]


@pytest.mark.parametrize(("direct", "places"), [((), ["index"]), (("load",), ["index", "view"])])
def test_a_dependency_is_lost_once(direct: tuple[str, ...], places: list[str]) -> None:
    """What comes after a task that lost a dependency has not lost it as well, unless it asked for it itself."""
    old = [*PAIR_V1, run("v1", "view", upstream=("index", *direct))]
    new = [run("v2", "load"), run("v2", "index"), run("v2", "view", after=frozenset({"index"}))]
    assert [one.task for one in both(old, new).differences] == places


MAPPED = (State("Mapped", "Mapped", "", 0.0),)


def mapped(name: str, count: int, *upstream: str) -> list[TaskRun]:
    """A mapped task of Prefect 1 with its children."""
    container = run("v1", name, states=MAPPED, attempts=0, upstream=upstream)
    return [container, *(run("v1", name, index=index, upstream=upstream) for index in range(count))]


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ("total", ["work[0]", "work[1]", "numbers"]),
        ("next[1]", ["work[1]", "numbers"]),
        ("other[1]", ["numbers"]),
        ("last", []),
    ],
)
def test_what_comes_before_in_a_mapped_flow(later: str, expected: list[str]) -> None:
    """A reduce follows every child, a child the one of its index; after an empty map there is nothing to wait for."""
    runs = [
        run("v1", "numbers"),
        *mapped("work", 2, "numbers"),
        *mapped("next", 2, "work"),
        *mapped("other", 3, "work"),
        *mapped("empty", 0, "numbers"),
        run("v1", "total", upstream=("work",)),
        run("v1", "last", upstream=("empty",)),
    ]
    slots = {one.run: one for one in runs}
    assert [
        one.run for one in ancestors(slots[later], slots, mapped_children(Trace("v1", tasks=tuple(runs))))
    ] == expected


# ------------------------------------------------------------------------------------------------------- resources


def phase(side: str, name: str, role: str, **fields: Any) -> TaskRun:
    """The set-up or clean-up of a resource."""
    return run(side, f"{name}.{role}", engine_made=f"resource-{role}", **fields)


CLUSTER_V1 = [
    phase("v1", "Cluster", "setup"),
    phase("v1", "Cluster", "cleanup", upstream=("use", "Cluster.setup")),
    run("v1", "use", upstream=("Cluster.setup",)),
]
USED = run("v2", "use", after=frozenset({"cluster.setup"}))
SETUP, CLEANUP = phase("v2", "cluster", "setup"), phase("v2", "cluster", "cleanup", after=frozenset({"use"}))
FAILED = (State("FAILED", "Failed", "", 0.0),)


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ([SETUP, USED, CLEANUP], []),
        ([SETUP, USED], [("task-missing", "tasks.Cluster.cleanup")]),
        ([SETUP, USED, phase("v2", "cluster", "cleanup")], [("order", "tasks.use.order")]),
        ([SETUP, run("v2", "use"), CLEANUP], [("order", "tasks.use.order")]),
        (
            [SETUP, USED, phase("v2", "cluster", "cleanup", states=FAILED, after=frozenset({"use"}))],
            [("task-state", "tasks.Cluster.cleanup.state")],
        ),
    ],
)
def test_a_resource_is_set_up_used_and_cleaned_up(new: list[TaskRun], expected: list[tuple[str, str]]) -> None:
    """Both phases happen, end alike, and enclose what uses the resource; order need not be asked for."""
    found = [(kind, path) for kind, path, _, _ in told(both(CLUSTER_V1, new, order=False))]
    assert found == expected


def test_a_resource_that_cannot_be_seen_is_said_with_the_line_to_write() -> None:
    """Where the new flow enters no context manager nothing is claimed."""
    comparison = both(CLUSTER_V1, [run("v2", "use")], order=False)
    assert told(comparison) == []
    assert [line for line in said(comparison) if '"Cluster.setup" = "…", "Cluster.cleanup" = "…"' in line]


def test_the_table_names_tasks_for_the_phases() -> None:
    """Tasks that do the work of the phases are matched with them, and lie before and after what uses the resource."""
    table = {"Cluster.setup": "start", "Cluster.cleanup": "stop"}
    new = [
        run("v2", "start"),
        run("v2", "use", after=frozenset({"start"})),
        run("v2", "stop", after=frozenset({"start"})),
    ]
    assert told(both(CLUSTER_V1, new, order=False, tasks=table)) == [
        ("order", "tasks.use.order", "before Cluster.cleanup", "not waited for before Cluster.cleanup")
    ]


# ----------------------------------------------------------------------------------------------------------- loops


def looping(rounds: int, attempts: int = 1) -> TaskRun:
    """A Prefect 1 task run with so many rounds, retried in its last one."""
    again = [State("Looped", "Looped", "", 0.0), State("Running", "Running", "", 0.0)] * (rounds - 1)
    retried = [State("Retrying", "Retrying", "", 0.0), State("Running", "Running", "", 0.0)] * (attempts - 1)
    return run("v1", "poll", states=(*again, *retried, State(*ENDS["v1"], "", 0.0)), attempts=attempts)


@pytest.mark.parametrize(
    ("calls", "expected"),
    [(3, []), (4, [("task-extra", "tasks.poll.rounds")]), (2, [("task-missing", "tasks.poll.rounds")])],
)
def test_rounds_are_calls(calls: int, expected: list[tuple[str, str]]) -> None:
    """A loop of three rounds is three calls of the task."""
    comparison = both([looping(3)], [run("v2", "poll", id=f"poll-{number}") for number in range(calls)])
    assert [(kind, path) for kind, path, _, _ in told(comparison)] == expected


@pytest.mark.parametrize(("attempts", "expected"), [(2, []), (1, ["retry-count"]), (3, ["retry-count"])])
def test_retries_of_all_calls_are_those_of_the_loop(attempts: int, expected: list[str]) -> None:
    """A round that was retried is a call that was retried, whichever."""
    calls = [run("v2", "poll", id="first", attempts=attempts), run("v2", "poll", id="second")]
    assert [kind for kind, *_ in told(both([looping(2, attempts=2)], calls))] == expected


def test_a_retried_loop_in_the_task_is_said() -> None:
    """Prefect 1 resumes, a loop in the task begins again: the same states, and not the same work."""
    comparison = both([looping(3, attempts=2)], [run("v2", "poll", attempts=2)])
    assert told(comparison) == []
    assert ["begins again when it is retried" in line for line in said(comparison)] == [True]
    assert said(both([looping(3)], [run("v2", "poll")])) == []
