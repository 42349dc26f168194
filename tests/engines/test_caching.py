"""Caches, targets, the clock and secrets by the real engines: several runs of a case, and what comes between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from equivalence.cases import Again, Case
from equivalence.compare.rules import ValueRules
from equivalence.compare.values import compare_values
from equivalence.config import Overrides
from equivalence.errors import EquivalenceError
from equivalence.pairing import Pair
from equivalence.report import data
from equivalence.result import PairResult
from equivalence.session import Hooks, Session
from equivalence.sides import START, FlowOutputs
from equivalence.trace import Trace
from tests.conftest import Project, write

pytestmark = pytest.mark.engines

SECRET = "s3cr3t-'of'-the-tests-that-is-quite-long-0123456789"
NO_HOOKS = Hooks(strategies=lambda pair: {}, comparator=lambda pair: None)

READINGS = """
    import calendar, datetime as dt, logging, time
    from datetime import date, datetime, timezone
    from time import strftime, time as stamp
    import pendulum

    def readings():
        first, second = stamp(), time.time()
        return {
            "now": datetime.now(), "utcnow": datetime.utcnow(), "aware": dt.datetime.now(timezone.utc),
            "today": date.today(), "midnight": datetime.today(), "stamp": int(first), "ticks": second > first,
            "ns": time.time_ns() // 10**9, "text": strftime("%Y-%m-%d %H:%M"), "ctime": time.ctime(),
            "gmtime": calendar.timegm(time.gmtime()), "pendulum": pendulum.now("UTC"),
            "zone": pendulum.now("Asia/Tokyo").isoformat(), "day": pendulum.tomorrow("UTC").to_date_string(),
            "logged": logging.LogRecord("a", 20, "b", 1, "c", (), None).created > 1_750_000_000,
        }

    def slept():
        before, real = pendulum.now(), time.monotonic()
        while pendulum.now() < before.add(seconds=0.2):
            time.sleep(0.1)
        return (pendulum.now() - before).total_seconds(), time.monotonic() - real < 5

    def waited():
        end, real = pendulum.now().add(seconds=0.2), time.monotonic()
        while pendulum.now() < end:
            pass
        return time.monotonic() - real < 10
"""

V1 = {
    "cached.py": """
        from datetime import timedelta
        from prefect import Flow, Parameter, task

        @task(cache_for=timedelta(minutes=1))
        def load(day):
            return len(day)

        with Flow("cached") as flow:
            load(Parameter("day", default="monday"))
    """,
    "target.py": """
        from prefect import Flow, Parameter, task
        from prefect.engine.results import LocalResult

        @task(target="{day}.pkl", result=LocalResult(dir="written", validate_dir=False))
        def load(day):
            return len(day) or None

        with Flow("target") as flow:
            load(Parameter("day", default="monday"))
    """,
    "clock.py": """
        import prefect
        from prefect import Flow, task
        from readings import readings

        read = task(readings)

        @task
        def started():
            context = prefect.context
            return [context.scheduled_start_time, context.date, context.today, context.tomorrow_nodash]

        with Flow("clock") as flow:
            read()
            started()
    """,
    "waits.py": """
        from prefect import Flow, task
        from readings import slept, waited

        with Flow("waits") as flow:
            task(waited)(upstream_tasks=[task(slept)()])
    """,
    "ids.py": """
        import prefect
        from prefect import Flow, task

        @task
        def name():
            return prefect.context.flow_run_id

        with Flow("ids") as flow:
            name()
    """,
    "outside.py": """
        from prefect import Flow, task

        @task
        def load():
            return 1

        with Flow("outside") as flow:
            load()
    """,
    "given.py": """
        from prefect import Flow, task
        from prefect.client import Secret
        from prefect.tasks.secrets import PrefectSecret

        AT_IMPORT = Secret("API_KEY").get()

        @task
        def use(key):
            return [len(AT_IMPORT), len(key), Secret("DB").get()["user"]]

        with Flow("given") as flow:
            use(PrefectSecret("API_KEY"))
    """,
    "absent.py": """
        from prefect import Flow, task
        from prefect.client import Secret

        @task
        def use():
            return Secret("NOT THERE").get()

        with Flow("absent") as flow:
            use()
    """,
    "absent_at_import.py": """
        from prefect import Flow
        from prefect.client import Secret

        KEY = Secret("NOWHERE").get()
        flow = Flow("absent at import")
    """,
}
V2 = {
    "cached.py": """
        from datetime import timedelta
        from prefect import flow, task

        @task(cache_key_fn=lambda context, given: "load", cache_expiration=timedelta(minutes=1), persist_result=True)
        def load(day):
            return len(day)

        @flow
        def cached(day: str = "monday"):
            return load(day)
    """,
    "target.py": """
        from prefect import flow, task

        @task(cache_key_fn=lambda context, given: "day " + given["day"], persist_result=True)
        def load(day):
            return len(day) or None

        @flow
        def target(day: str = "monday"):
            return load(day)
    """,
    "clock.py": """
        from prefect import flow, task
        from prefect.context import get_run_context
        from prefect.runtime import flow_run
        from readings import readings

        read = task(readings)

        @task
        def started():
            start = flow_run.scheduled_start_time
            return [start, start, start.to_date_string(), start.add(days=1).format("YYYYMMDD")]

        @flow
        def clock():
            read()
            started()
    """,
    "waits.py": """
        from prefect import flow, task
        from readings import slept, waited

        @flow
        def waits():
            task(slept)()
            task(waited)()
    """,
    "ids.py": """
        from prefect import flow, task
        from prefect.runtime import flow_run

        @task
        def name():
            return flow_run.id

        @flow
        def ids():
            return name()
    """,
    "outside.py": """
        import helpers
        from prefect import flow

        @flow
        def outside():
            return helpers.load()
    """,
    "helpers.py": """
        from prefect import task

        @task(cache_key_fn=lambda context, given: "load", persist_result=True)
        def load():
            return 1
    """,
    "given.py": """
        from prefect import flow, task
        from prefect.blocks.system import JSON, Secret
        from prefect.variables import Variable

        AT_IMPORT = Secret.load("api-key").get()

        @task
        def use(key):
            return [len(AT_IMPORT), len(Variable.get("api_key").value), JSON.load("db").value["user"]]

        @flow
        def given():
            return use(Secret.load("api-key").get())
    """,
    "absent.py": """
        from prefect import flow, task
        from prefect.blocks.system import Secret

        @task
        def use():
            return Secret.load("not-there").get()

        @flow
        def absent():
            return use()
    """,
    "absent_at_import.py": """
        from prefect import flow

        @flow(name="absent at import")
        def absent_at_import():
            return 1
    """,
}
SETTINGS = f"""
    [tool.equivalence]
    examples = 4
    v1.python-path = ["."]
    v2.python-path = ["."]

    [tool.equivalence.environment.secrets]
    API_KEY = "{SECRET}"
    DB = {{ user = "reader", port = 5432 }}
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """One session over all pairs of this file."""
    root = tmp_path_factory.mktemp("caching").resolve()
    write(root / "flows_v1", V1)
    write(root / "flows_v2", V2)
    write(root, {"readings.py": READINGS, "pyproject.toml": SETTINGS})
    session = Session.open(root, root / "pyproject.toml", Overrides(), lambda text: None)
    yield session
    session.close()


def pair_of(session: Session, name: str) -> Pair:
    """The pair of a file."""
    return next(pair for pair in session.pairing.pairs if pair.name == name)


def runs(session: Session, name: str, *again: Again, **parameters: Any) -> list[tuple[Trace, Trace]]:
    """The traces of each run of one case."""
    pair = pair_of(session, name)
    case = Case.of(session.check(pair, NO_HOOKS, lambda text: None)._matching, parameters, again=again)
    return list(session.sides.run(pair.v1, pair.v2, case, FlowOutputs()))


def checked(session: Session, name: str) -> PairResult:
    """The check of a pair, as the plugin does it."""
    return session.check(pair_of(session, name), NO_HOOKS, lambda text: None).run()


def executed(run: tuple[Trace, Trace]) -> list[bool]:
    """Whether each side executed its one task."""
    return [trace.user_tasks[0].attempts > 0 for trace in run]


def results(trace: Trace) -> dict[str, Any]:
    """The results of the tasks by name, as trees."""
    return {task.key.name: task.result.root() for task in trace.user_tasks if task.result is not None}


# ---------------------------------------------------------------------------------------------------------- caching


def test_caches_last_for_a_case_and_no_longer(session: Session) -> None:
    """The second run of a case is answered from the cache, the first of the next case is not."""
    for _ in range(2):
        assert [executed(run) for run in runs(session, "cached", Again())] == [[True, True], [False, False]]


@pytest.mark.parametrize(("gap", "again"), [(59.0, False), (60.0, True), (61.0, True)])
def test_caches_expire_as_the_clock_moves(session: Session, gap: float, again: bool) -> None:
    """A result that is kept for a minute is there a second before it is over, and gone when it is."""
    assert executed(runs(session, "cached", Again(gap))[1]) == [again, again]


def test_a_target_answers_in_its_case(session: Session) -> None:
    """The file is there in the next run, another target is not, and nothing is written into the project."""
    for _ in range(2):
        found = runs(session, "target", Again(), Again(0.0, {"day": "friday"}), Again(0.0, {"day": "friday"}))
        assert [executed(run)[0] for run in found] == [True, False, True, False]
        assert found[1][0].user_tasks[0].states[-1].message.startswith("Result found at task target")
    assert any("checkpointing is on" in said for said in found[0][0].replaced)
    assert not (session.settings.root / "written").exists()


def test_a_result_of_none_is_no_target(session: Session) -> None:
    """Prefect 1 writes no file for None, and runs the task again; Prefect 2 caches it."""
    assert executed(runs(session, "target", Again(), day="")[1]) == [True, False]


def test_a_task_of_another_module_is_seen_to_cache(session: Session) -> None:
    """Its declaration is known from the first run: the flow is then run again, and what was added is found."""
    result = checked(session, "outside")
    assert [(one.difference.kind, one.difference.path, one.rule) for one in result.findings] == [
        ("task-state", "run[2].tasks.load.state", "cache-added")
    ]
    assert result.findings[0].case.show() == "the defaults; again at once"


# ------------------------------------------------------------------------------------------------------------ clock


def test_both_sides_read_one_clock(session: Session) -> None:
    """Every way of asking for the time gives the start of the case, and the gap later in the next run."""
    found = runs(session, "clock", Again(86400.0 + 7200.0))
    for (v1, v2), since in zip(found, (0.0, 93600.0), strict=True):
        old = results(v1)
        assert set(old) == {"readings", "started"}
        for name in ("readings", "started"):
            one, other = (next(run for run in side.user_tasks if run.key.name == name).result for side in (v1, v2))
            assert one is not None
            assert other is not None
            assert compare_values(one, other, path="result", rules=ValueRules()).differences == ()
        start = datetime.fromtimestamp(START, timezone.utc) + timedelta(seconds=since)
        read = old["readings"]["v"]
        assert read["stamp"] == read["ns"] == read["gmtime"] == START + since
        assert read["utcnow"]["v"] == start.replace(tzinfo=None).isoformat()
        assert read["day"] == (start + timedelta(days=1)).strftime("%Y-%m-%d")
        assert read["text"] == datetime.fromtimestamp(START + since).strftime("%Y-%m-%d %H:%M")
        assert (read["ticks"], read["logged"]) == (True, True)
        assert old["started"]["v"][2:] == [start.strftime("%Y-%m-%d"), (start + timedelta(days=1)).strftime("%Y%m%d")]


def test_who_waits_for_the_time_sees_it_pass(session: Session) -> None:
    """Sleeping moves the clock by as much; a loop without sleep ends as well."""
    [(v1, v2)] = runs(session, "waits")
    for trace in (v1, v2):
        assert trace.ended is None
        assert results(trace)["slept"]["v"] == [0.2, True]
        assert results(trace)["waited"] is True


def test_the_clock_goes_on_between_cases(session: Session) -> None:
    """The worker's own time is the true one again: its runs have a length."""
    before = time.monotonic()
    [(v1, _)] = runs(session, "ids")
    assert 0 < v1.seconds < time.monotonic() - before + 1


def test_ids_that_a_flow_reads_are_noise(session: Session) -> None:
    """They differ by nature: the old flow disagrees with itself there."""
    result = checked(session, "ids")
    assert result.verdict == "noisy"
    assert {noise.reason for noise in result.noise} == {"the old flow disagrees with itself there"}


# ---------------------------------------------------------------------------------------------------------- secrets


def test_one_table_serves_both_sides(session: Session) -> None:
    """As a Secret and PrefectSecret, as a block, a variable and a JSON block, also when the file is loaded."""
    result = checked(session, "given")
    assert (result.verdict, result.cases) == ("equivalent", 1)


def test_a_secret_that_is_not_configured_is_an_error(session: Session) -> None:
    """Both flows fail, which would say nothing: the line to write is told in place of it."""
    with pytest.raises(EquivalenceError, match=r'secrets = \{ "NOT THERE" = "…" \}'):
        checked(session, "absent")


def test_a_file_that_asks_for_one_says_so_as_well(session: Session) -> None:
    """The file does not load; the line to write comes with the traceback."""
    [broken] = [one for one in session.broken if one.name == "absent_at_import"]
    assert 'secrets = { NOWHERE = "…" }' in broken.message


LEAKS_V1 = """
    from datetime import timedelta
    from prefect import Flow, task
    from prefect.client import Secret

    @task(cache_for=timedelta(hours=1))
    def show():
        print(Secret("API_KEY").get())
        return {"key": Secret("API_KEY").get(), "header": "Bearer " + Secret("API_KEY").get()}

    @task
    def fail(shown):
        raise ValueError("no access with {!r}".format(shown["key"]))

    with Flow("leaks") as flow:
        fail(show())
"""
LEAKS_V2 = """
    from prefect import flow, task
    from prefect.blocks.system import Secret

    @task
    def show():
        print(Secret.load("api-key").get())
        return {"key": Secret.load("api-key").get(), "header": "bearer " + Secret.load("api-key").get()}

    @task
    def fail(shown):
        raise KeyError("no access with {!r}".format(shown["key"]))

    @flow
    def leaks():
        fail(show())
"""
CRASHES = """
    import os
    from prefect.client import Secret
    raise RuntimeError("cannot connect with " + Secret("API_KEY").get())
"""


def test_no_secret_is_shown_or_written(make_project: Callable[[str], Project]) -> None:
    """Not by a value, an exception or a traceback, in the terminal, the report, JUnit's file or a replay."""
    project = make_project("leaks")
    project.v1({"leaks.py": LEAKS_V1, "crashes.py": CRASHES})
    project.v2({"leaks.py": LEAKS_V2, "crashes.py": "from prefect import flow\n\n@flow\ndef crashes():\n    pass\n"})
    project.configure(SETTINGS)
    run = project.run("--junitxml=junit.xml", "-v")
    assert run.report is not None, run.printed
    assert run.verdicts == {"leaks": "divergent", "crashes": "error"}
    found = {one["path"]: one for one in run.pair("leaks")["findings"]}
    assert found["tasks.show.result.header"]["v1"] == "'Bearer <secret API_KEY>'"
    places = [run.out, run.err, *(path.read_text("utf-8") for path in files(project.path))]
    replay = project.run(f"--equivalence-replay={found['tasks.show.result.header']['id']}")
    assert "STILL DIFFERENT" in replay.out
    for place in (*places, replay.out, replay.err):
        assert SECRET[:12] not in place
        assert SECRET[-12:] not in place
        assert "of\\'-the" not in place


def files(root: Path) -> list[Path]:
    """What the run wrote."""
    return [root / "junit.xml", root / ".equivalence/report" / data.NAME]


def test_a_sequence_is_replayed(make_project: Callable[[str], Project]) -> None:
    """The case with its further runs is read back from the report: still different, and fixed when it is."""
    project = make_project("replayed")
    project.v1({"cached.py": V1["cached.py"]})
    project.v2({"cached.py": V2["cached.py"].replace("timedelta(minutes=1)", "timedelta(hours=1)")})
    project.configure("[tool.equivalence]\nexamples = 12\n")
    run = project.run("-q")
    [finding] = [one for one in run.pair("cached")["findings"] if one["follows"] is None]
    assert (finding["path"], finding["lines"]["given"]) == (
        "run[2].tasks.load.state",
        "the defaults; again 1 min later",
    )
    assert [one["after"] for one in finding["case"]["again"]] == [60.0]
    assert "STILL DIFFERENT" in project.run(f"--equivalence-replay={finding['id']}").out
    project.v2({"cached.py": V2["cached.py"]})
    assert "FIXED" in project.run(f"--equivalence-replay={finding['id']}").out
