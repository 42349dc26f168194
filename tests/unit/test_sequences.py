"""Cases that run a flow more than once: drawn around what expires, compared run by run, shrunk to the fewest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equivalence.caching import gaps, gaps_seen
from equivalence.cases import Again, Case, case_strategy, explicit_cases
from equivalence.compare.rules import ValueRules
from equivalence.compare.traces import Rules, compare, in_sequence
from equivalence.config import PairSettings
from equivalence.descriptions import FlowDescription, Parameter
from equivalence.inside import signatures
from equivalence.judge import Identity, size
from equivalence.parameters import Matching, match_parameters
from equivalence.report.data import again_of, case_data
from equivalence.shrink import smaller
from equivalence.trace import State, TaskRun, Trace
from tests.unit.test_compare_traces import run, trace

CACHED = {"v1": ("Cached", "Cached"), "v2": ("COMPLETED", "Cached")}
HOUR = 3600.0


def flow(*tasks: dict[str, Any], **parameters: Any) -> FlowDescription:
    """A flow with these tasks and parameters with defaults."""
    described = [signatures.describe_parameter(name, default, False) for name, default in parameters.items()]
    return FlowDescription(
        file="f.py",
        variable="flow",
        name="f",
        parameters=tuple(Parameter.from_message(one) for one in described),
        tasks=tasks,
    )


def caching(expires: float | None) -> dict[str, Any]:
    """A task that caches, for so many seconds."""
    return {"name": "load", "caches": True, "expires": expires}


@pytest.fixture(scope="module")
def matching() -> Matching:
    """Two flows with one parameter."""
    return match_parameters(flow(limit=5), flow(limit=5), PairSettings("f"))


def case(matching: Matching, *again: Again, **parameters: Any) -> Case:
    """A case that runs again."""
    return Case.of(matching, parameters, again=again)


# ------------------------------------------------------------------------------------------------------ the case


def test_each_run_has_its_time_and_what_changed_since(matching: Matching) -> None:
    """Seconds add up; what a run does not change is as in the first."""
    runs = case(matching, Again(HOUR, {"limit": 7}), Again(60.0), limit=6).runs()
    assert [(at, dict(one.parameters)) for at, one in runs] == [
        (0.0, {"limit": 6}),
        (HOUR, {"limit": 7}),
        (HOUR + 60, {"limit": 6}),
    ]


def test_a_case_says_its_runs(matching: Matching) -> None:
    """How long after, in the units a person would use, and what changed."""
    shown = case(matching, Again(), Again(HOUR + 1), Again(2 * 86400.0, {"limit": 6})).show()
    assert shown == "the defaults; again at once; again 1 h 1 s later; again 2 d later with limit=6"
    assert case(matching, Again(0.0, {"limit": 6}), Again()).show().endswith("again at once as at first")


def test_runs_make_another_case(matching: Matching) -> None:
    """A case that ran once does not answer for one that runs again, nor an hour for a minute."""
    cases = [case(matching), case(matching, Again()), case(matching, Again(HOUR)), case(matching, Again(60.0))]
    assert len({one.key() for one in cases}) == 4


def test_a_report_gives_the_runs_back(matching: Matching) -> None:
    """What is written for a replay is the case that was found."""
    again = (Again(HOUR, {"limit": 7}), Again(0.5))
    assert again_of(case_data(case(matching, *again))) == again


# ------------------------------------------------------------------------------------------------- where they come


@pytest.mark.parametrize(
    ("v1", "v2", "expected"),
    [
        ([], [], ()),
        ([{"name": "load"}], [{"name": "load", "caches": False}], ()),
        ([caching(60.0)], [], (0.0, 61.0, 59.0)),
        ([caching(60.0)], [caching(HOUR)], (0.0, 61.0, 3601.0, 59.0, 3599.0)),
        ([caching(0.5)], [], (0.0, 1.5)),
        ([caching(60.0)], [caching(None)], (0.0, 61.0, 59.0, 86400.0)),
        ([], [caching(None)], (0.0, 86400.0)),
        ([caching(0.0)], [caching(None)], (0.0, 86400.0)),
    ],
)
def test_gaps_lie_beside_what_expires(
    v1: list[dict[str, Any]], v2: list[dict[str, Any]], expected: tuple[float, ...]
) -> None:
    """Just after and just before each expiry of either side; a day for what never expires; none without a cache."""
    assert gaps(flow(*v1), flow(*v2)) == expected


def test_tasks_that_only_a_run_shows_cache_as_well() -> None:
    """A Prefect 2 task of another module is known from its task run."""
    seen = trace("v2", run("v2", "load", caches=True, expires=60.0))
    assert gaps_seen([(trace("v1", run("v1", "load")), seen)]) == (0.0, 61.0, 59.0)
    assert gaps_seen([(trace("v1", run("v1", "load")), trace("v2", run("v2", "load")))]) == ()


def test_explicit_cases_run_again(matching: Matching) -> None:
    """The defaults, then again after each gap, then at once with another value; without gaps one run each."""
    shown = [one.show() for one in explicit_cases(matching, gaps=(0.0, HOUR + 1))]
    assert shown[:4] == [
        "the defaults",
        "the defaults; again at once",
        "the defaults; again 1 h 1 s later",
        "the defaults; again at once with limit=0",
    ]
    assert all(not one.again for one in explicit_cases(matching))


@given(data=st.data())
@settings(max_examples=60, deadline=None, database=None)
def test_drawn_cases_run_at_most_three_times(data: st.DataObject, matching: Matching) -> None:
    """The gaps are the given ones, at most one parameter changes; without gaps nothing runs again."""
    drawn = data.draw(case_strategy(matching, gaps=(0.0, 61.0)))
    assert len(drawn.again) <= 2
    assert all(again.after in (0.0, 61.0) and set(again.changed) <= {"limit"} for again in drawn.again)
    assert not data.draw(case_strategy(matching)).again


# ----------------------------------------------------------------------------------------------------- made smaller


def test_fewer_runs_are_smaller(matching: Matching) -> None:
    """Before all a run less, then what is given and changed, then the time between."""
    ordered = [
        case(matching),
        case(matching, limit=123456),
        case(matching, Again()),
        case(matching, Again(59.0)),
        case(matching, Again(3600.0)),
        case(matching, Again(0.0, {"limit": 6})),
        case(matching, Again(), Again()),
    ]
    assert [one.show() for one in sorted(ordered, key=size)] == [one.show() for one in ordered]


def test_a_sequence_is_made_smaller_step_by_step(matching: Matching) -> None:
    """A run is left out, a change taken back or made simpler, the gap left out or a second shorter."""
    steps = {one.show() for one in smaller(case(matching, Again(HOUR + 1, {"limit": 10}), Again()))}
    assert {
        "the defaults; again at once",
        "the defaults; again 1 h 1 s later with limit=10",
        "the defaults; again 1 h 1 s later; again at once",
        "the defaults; again at once with limit=10; again at once as at first",
        "the defaults; again 1 h later with limit=10; again at once as at first",
        "the defaults; again 1 h 1 s later with limit=0; again at once as at first",
    } <= steps


# --------------------------------------------------------------------------------------------------------- compared


def hit(side: str, **fields: Any) -> TaskRun:
    """A task run whose result came from the cache."""
    return run(side, "load", CACHED[side], attempts=0, **fields)


def twice(v1: list[list[TaskRun]], v2: list[list[TaskRun]], rules: Rules | None = None) -> list[tuple[str, str]]:
    """The differences of a case by kind and path, from the task runs of each run on each side."""
    pairs = [(trace("v1", *old), trace("v2", *new)) for old, new in zip(v1, v2, strict=True)]
    comparison = in_sequence([compare(old, new, rules or Rules()) for old, new in pairs])
    return [(difference.kind, difference.path) for difference in comparison.differences]


def test_a_difference_says_its_run() -> None:
    """The path of a later run begins with its number; the finding is one for all later runs."""
    found = twice(
        [[run("v1", "load", result=3)], [hit("v1", result=3)], [hit("v1", result=3)]],
        [[run("v2", "load", result=3)], [run("v2", "load", result=3)], [run("v2", "load", result=3)]],
    )
    assert found == [("task-state", "run[2].tasks.load.state"), ("task-state", "run[3].tasks.load.state")]
    assert Identity("task-state", "run[*].tasks.load.state") in {
        Identity.of(difference)
        for difference in in_sequence(
            [
                compare(trace("v1", run("v1", "load")), trace("v2", run("v2", "load")), Rules()),
                compare(trace("v1", hit("v1")), trace("v2", run("v2", "load")), Rules()),
            ]
        ).differences
    }


def test_patterns_of_the_user_mean_every_run() -> None:
    """``ignore`` and ``tolerance`` are written without the run."""
    v1 = [[run("v1", "load", result={"at": 1, "total": 1.0})]] * 2
    v2 = [[run("v2", "load", result={"at": 2, "total": 1.0 + 1e-12})]] * 2
    values = ValueRules(ignore=("tasks.load.result.at",), tolerance={"tasks.load.result.total": 1e-9})
    assert len(twice(v1, v2)) == 4
    assert twice(v1, v2, Rules(values=values)) == []


def test_hits_on_both_sides_are_equal() -> None:
    """A task that was not run on either side has its cached values compared."""
    assert twice([[hit("v1", result=3)]], [[hit("v2", result=3)]]) == []
    assert twice([[hit("v1", result=3)]], [[hit("v2", result=4)]]) == [("task-result", "tasks.load.result")]


def calls(side: str, *states: tuple[str, int, object]) -> list[TaskRun]:
    """Calls of one task: the state's name, attempts, result."""
    return [
        replace(
            run(side, "load", CACHED[side] if name == "Cached" else None, call=call, attempts=attempts, result=result),
        )
        for call, (name, attempts, result) in enumerate(states)
    ]


def test_a_hit_within_a_run_is_no_difference() -> None:
    """Prefect 1 fills its caches after a run: the second call runs there, and is answered at once in Prefect 2."""
    old = calls("v1", ("Success", 1, 3), ("Success", 1, 3))
    new = calls("v2", ("Completed", 1, 3), ("Cached", 0, 3))
    comparison = compare(trace("v1", *old), trace("v2", *new), Rules())
    assert comparison.differences == ()
    assert comparison.normalised == {"cache-hit-within-a-run": 1}


def test_a_hit_within_a_run_with_another_value_is_one() -> None:
    """What the cache answered is not what the second call gave in Prefect 1."""
    old = calls("v1", ("Success", 1, 3), ("Success", 1, 4))
    new = calls("v2", ("Completed", 1, 3), ("Cached", 0, 3))
    assert twice([old], [new]) == [("task-result", "tasks.load#2.result")]


def test_a_hit_that_no_call_of_the_run_answers_for_is_one() -> None:
    """It comes from an earlier run, and Prefect 1 ran the task."""
    old = calls("v1", ("Success", 1, 3))
    new = calls("v2", ("Cached", 0, 3))
    assert twice([old], [new]) == [("task-state", "tasks.load.state")]


def test_the_state_of_every_task_with_cache_for_is_cached() -> None:
    """Running, Success, Cached is how Prefect 1 ends an execution."""
    executed = run("v1", "load", result=3)
    ended = replace(executed, states=(State("Running", "Running", "", 0.0), State("Cached", "Cached", "", 0.0)))
    assert twice([[ended]], [[run("v2", "load", result=3)]]) == []


def test_one_run_keeps_its_paths() -> None:
    """A case of one run is what it was."""
    comparison = compare(Trace("v1", tasks=(run("v1", "load"),)), Trace("v2"), Rules())
    assert in_sequence([comparison]) is comparison
