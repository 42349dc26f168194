"""Flows as they are found in real folders, paired and compared by the real command line: one session for all."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.conftest import Project, Run, flow_v1, flow_v2

pytestmark = pytest.mark.engines

CONFTEST = """
from hypothesis import strategies as st


def pytest_equivalence_strategies(pair):
    if pair.name == "hooks":
        return {"size": st.sampled_from([11, 12])}


def pytest_equivalence_compare(pair, path, v1, v2):
    if pair.name == "hooks" and path.endswith(".stamp"):
        return v1 // 10 == v2 // 10
"""

CONFIGURATION = """
[tool.equivalence]
examples = 3
shrink = 5

[tool.equivalence.pairs.hooks]
examples = 6

[tool.equivalence.pairs.held]
fixed.v2 = { commands = ["load", "tidy"] }

[tool.equivalence.pairs.renamed]
parameters = { "Row limit" = "row_limit", "class" = "kind" }
tasks = { "Load orders" = "load_new" }

[tool.equivalence.pairs.chosen]
output = { v1 = "task:middle", v2 = "task:inner" }
compare = ["state", "result"]

[tool.equivalence.pairs.ignored]
ignore = ["result.run_id", "tasks.work.result.run_id"]

[tool.equivalence.pairs.tolerated]
tolerance = { "result.total" = 1e-6, "tasks.work.result.total" = 1e-6 }

[tool.equivalence.pairs.rows]
unordered = { "result.rows" = "id", "tasks.work.result.rows" = "id" }

[tool.equivalence.pairs.explicit]
v1 = "flows_v1/oddly_named.py::make()"
v2 = "flows_v2/elsewhere.py::target"
"""

SEVERAL_V1 = """
from prefect import Flow, task

@task
def one():
    return 1

@task
def two():
    return 2

with Flow("First of two") as first:
    one()

with Flow("Second of two") as second:
    two()
"""

SEVERAL_V2 = """
from prefect import flow, task

@task
def one():
    return 1

@task
def two():
    return 2

@flow(name="Second of two")
def b():
    return two()

@flow(name="First of two")
def a():
    return one()
"""

FACTORY_V1 = """
from prefect import Flow, task

def make(region, rows):
    @task
    def load():
        return rows
    with Flow("load " + region) as flow:
        load()
    return flow

north = make("north", 10)
south = make("south", 20)
"""

FACTORY_V2 = """
from prefect import flow, task

def make(region, rows):
    @task
    def load():
        return rows

    @flow(name="load " + region)
    def _flow():
        return load()
    return _flow

south = make("south", 20)
north = make("north", 10)
"""

BUILDER = """
from prefect import Flow, task

@task
def built():
    return "built"

def build(extra=None):
    with Flow("built") as flow:
        built()
    return flow
"""

ACTS_V1 = """
import pathlib
from prefect import Flow, task

@task
def act():
    with pathlib.Path(__file__).with_suffix(".runs").open("a") as runs:
        runs.write("run\\n")
    return 1

with Flow("acts") as flow:
    act()

state = flow.run()
assert state.is_successful()
flow.register("project")
"""

ACTS_V2 = """
import pathlib
from prefect import flow, task

@task
def act():
    with pathlib.Path(__file__).with_suffix(".runs").open("a") as runs:
        runs.write("run\\n")
    return 1

@flow
def acts():
    return act()

acts()
acts.serve(name="for ever")
"""

ASYNC_V2 = """
import asyncio
from prefect import flow, task

@task
async def work(count):
    await asyncio.sleep(0)
    return count + 1

@flow
async def eventually(count: int = 3):
    return await work(count)
"""

RENAMED_V1 = """
from prefect import Flow, Parameter, task

@task(name="Load orders")
def load(limit, kind):
    return [limit, kind]

with Flow("renamed") as flow:
    load(Parameter("Row limit", default=5), Parameter("class", default="a"))
"""

RENAMED_V2 = """
from prefect import flow, task

@task
def load_new(limit, kind):
    return [limit, kind]

@flow
def renamed(row_limit: int = 5, kind: str = "a"):
    return load_new(row_limit, kind)
"""

CHOSEN_V1 = """
from prefect import Flow, task

@task
def middle():
    return {"rows": 3}

@task
def report(rows):
    return "sent"

with Flow("chosen") as flow:
    report(middle())
"""

CHOSEN_V2 = """
from prefect import flow, task

@task
def inner():
    return {"rows": 3}

@task
def announce(rows):
    return "sent by another way"

@flow
def chosen():
    announce(inner())
    return "done"
"""

HELD_V2 = """
from prefect import flow, task

@task
def work(count, commands):
    assert commands == ["load", "tidy"]
    return count

@flow
def held(count: int, commands: list):
    return work(count, commands)
"""


def fill(project: Project) -> None:
    """Every layout and every key of a pair's table, a file each."""
    project.configure(CONFIGURATION)
    project.write({"conftest.py": CONFTEST})
    stamp = "return {'size': size, 'stamp': 10 + %d, 'big': size > 10}"
    ignored = "return {'run_id': %r, 'rows': 1}"
    project.v1(
        {
            "asynchronous.py": flow_v1("Eventually", "return count + 1", "count=3"),
            "nothing.py": flow_v1("nothing", "return 4"),
            "several.py": SEVERAL_V1,
            "factory.py": FACTORY_V1,
            "builder.py": BUILDER,
            "acts.py": ACTS_V1,
            "spaces.py": flow_v1("My nightly flow — Zürich", "return 1"),
            "renamed.py": RENAMED_V1,
            "chosen.py": CHOSEN_V1,
            "held.py": flow_v1("held", "return count", "count=3").replace(", default=3", ", required=True"),
            "hooks.py": flow_v1("hooks", stamp % 1, "size=11"),
            "ignored.py": flow_v1("ignored", ignored % "a"),
            "tolerated.py": flow_v1("tolerated", "return {'total': 1.0}"),
            "rows.py": flow_v1("rows", "return {'rows': [{'id': 1, 'x': 2}, {'id': 2, 'x': 3}]}"),
            "oddly_named.py": BUILDER.replace("def build", "def make").replace("extra=None", ""),
            # Modules of the flows' own, under one name in both trees, and under names of the standard library.
            "shop/__init__.py": "",
            "shop/prices.py": "RATE = 2\nSIDE = 'v1'",
            "shop/sale.py": flow_v1(
                "sale",
                "return [prices.RATE, __import__('shop.prices').prices.SIDE == 'v1']",
                "",
                "from . import prices",
            ),
            "datetime.py": flow_v1("a date", "return 'date'"),
            "collections.py": flow_v1("a collection", "return 'collection'"),
            "helper.py": "VALUE = 5",
            "imports.py": flow_v1("imports", "return helper.VALUE", "", "import helper"),
            # Nothing tells which belongs to which.
            "unclear.py": flow_v1("alpha", "return 1")
            + flow_v1("beta", "return 2").replace("as flow", "as other_flow"),
        }
    )
    project.v2(
        {
            "asynchronous.py": ASYNC_V2,
            "nothing.py": flow_v2("nothing", "return 4").replace("    return work()", "    work()"),
            "several.py": SEVERAL_V2,
            "factory.py": FACTORY_V2,
            "builder.py": flow_v2("built", "return 'built'").replace("work", "built"),
            "acts.py": ACTS_V2,
            "spaces.py": flow_v2("my-nightly flow — Zürich", "return 1"),
            "renamed.py": RENAMED_V2,
            "chosen.py": CHOSEN_V2,
            "held.py": HELD_V2,
            "hooks.py": flow_v2("hooks", stamp % 9, "size=11").replace("size=11", "size: int = 11"),
            "ignored.py": flow_v2("ignored", ignored % "b"),
            "tolerated.py": flow_v2("tolerated", "return {'total': 1.0000001}"),
            "rows.py": flow_v2("rows", "return {'rows': [{'id': 2, 'x': 3}, {'id': 1, 'x': 2}]}"),
            "elsewhere.py": flow_v2("quite another", "return 'built'")
            .replace("work", "built")
            .replace("migrated", "target"),
            "shop/__init__.py": "",
            "shop/prices.py": "RATE = 2\nSIDE = 'v2'",
            "shop/sale.py": flow_v2(
                "sale",
                "return [prices.RATE, __import__('shop.prices').prices.SIDE == 'v2']",
                "",
                "from . import prices",
            ),
            "datetime.py": flow_v2("a date", "return 'date'"),
            "collections.py": flow_v2("a collection", "return 'collection'"),
            "helper.py": "VALUE = 5",
            "imports.py": flow_v2("imports", "return helper.VALUE", "", "import helper"),
            "unclear.py": flow_v2("gamma", "return 1") + flow_v2("delta", "return 2").replace("migrated", "other"),
        }
    )


@pytest.fixture(scope="module")
def layouts(make_project: Callable[[str], Project]) -> Project:
    """The project of all layouts."""
    project = make_project("layouts")
    fill(project)
    return project


@pytest.fixture(scope="module")
def run(layouts: Project) -> Run:
    """One session over it."""
    return layouts.run("-rA")


@pytest.mark.parametrize(
    "name",
    [
        "asynchronous",
        "nothing",
        "several::First of two",
        "several::Second of two",
        "factory::load north",
        "factory::load south",
        "builder",
        "acts",
        "spaces",
        "renamed",
        "chosen",
        "held",
        "hooks",
        "ignored",
        "tolerated",
        "rows",
        "explicit",
        "shop/sale",
        "datetime",
        "collections",
        "imports",
    ],
)
def test_every_layout_is_paired_and_green(run: Run, name: str) -> None:
    """Each of these migrations is found, runs on both sides, and does the same."""
    pair = run.pair(name)
    assert pair["verdict"] == "equivalent", run.block(name) if pair["verdict"] == "divergent" else pair
    assert pair["tasks"]["reached"] >= 1 or name == "chosen", "its tasks have other names, and are not compared"
    assert pair["cases"]["completed"] == pair["cases"]["run"] >= 1


def test_nothing_else_is_paired(run: Run) -> None:
    """The session holds these pairs and no others, and ends with 0."""
    assert run.status == 0, run.printed
    assert len(run.verdicts) == 21


def test_flows_are_told_apart(run: Run) -> None:
    """Of flows made by one factory, or several in a file, each is paired by its name and not by its place."""
    assert run.pair("factory::load north")["v2"] == "flows_v2/factory.py::north"
    assert run.pair("several::First of two")["v2"] == "flows_v2/several.py::a"


def test_a_builder_is_shown_as_a_call(run: Run) -> None:
    """A function that builds the flow is named with parentheses, found by itself or configured."""
    assert run.pair("builder")["v1"] == "flows_v1/builder.py::build()"
    assert run.pair("explicit")["v1"] == "flows_v1/oddly_named.py::make()"


def test_runs_at_module_level_do_not_happen(run: Run, layouts: Project) -> None:
    """``flow.run()``, ``register``, a call and ``serve`` at module level are held back, and said."""
    pair = run.pair("acts")
    assert pair["cases"]["run"] == 1
    for side in ("flows_v1", "flows_v2"):
        assert (layouts.path / side / "acts.runs").read_text() == "run\n", "once for the case, never at import"
    notes = pair["notes"]
    assert [note for note in notes if note.startswith("v1: flow.run() at line 13 was not executed")], notes
    assert [note for note in notes if note.startswith("v2: a flow() at line 14 was not executed")], notes
    assert [note for note in notes if note.startswith("v2: serve() at line 15 was not executed")], notes


def test_a_flow_that_returns_nothing_is_said(run: Run) -> None:
    """Where the v2 flow returns nothing the result is said to be not compared, in the summary and the report."""
    assert any("returns nothing" in text for text in run.pair("nothing")["uncompared"])
    assert "not compared" in run.line("nothing")


def test_the_strategies_hook(run: Run) -> None:
    """``pytest_equivalence_strategies`` decides what a parameter gets: besides the default only its two values."""
    assert 1 < run.pair("hooks")["cases"]["run"] <= 3, "the default, and the two values of the strategy"


def test_what_was_ignored_is_counted(run: Run) -> None:
    """An ``ignore`` pattern that hid something is in the report with its count."""
    assert sum(run.pair("ignored")["ignored"].values()) >= 2


def test_an_ambiguous_file_is_listed_with_what_settles_it(run: Run) -> None:
    """Flows that could be pairs in several ways are never guessed: listed, with the table to write."""
    assert run.report is not None
    (entry,) = run.report["ambiguous"]
    assert entry["v1"] == ["flows_v1/unclear.py::flow", "flows_v1/unclear.py::other_flow"]
    assert entry["v2"] == ["flows_v2/unclear.py::migrated", "flows_v2/unclear.py::other"]
    assert 'v1 = "flows_v1/unclear.py::flow"' in entry["configuration"]
    assert "ambiguous: flows_v1/unclear.py::flow" in run.out
    assert '    [tool.equivalence.pairs."unclear::alpha"]' in run.out


def test_each_setting_matters(layouts: Project, make_project: Callable[[str], Project]) -> None:
    """Without its table or hook each of those pairs diverges or cannot be checked."""
    project = make_project("bare")
    fill(project)
    project.configure("[tool.equivalence]\nexamples = 2\nshrink = 0")
    (project.path / "conftest.py").unlink()
    run = project.run("-k", "held or renamed or chosen or ignored or tolerated or rows or hooks")
    assert run.status == 1
    names = ("renamed", "chosen", "ignored", "tolerated", "rows", "hooks", "held")
    assert {name: run.verdicts[name] for name in names} == dict.fromkeys(names, "divergent"), run.printed


def test_flows_migrated_in_place(project: Project) -> None:
    """With a git ``revision`` the old side is what the path held then; items stay under the path that is there."""
    project.configure(
        """
        [tool.equivalence]
        examples = 2
        [tool.equivalence.v1]
        flows = "flows"
        revision = "before"
        [tool.equivalence.v2]
        flows = "flows"
        """
    )
    old, new = flow_v1("moved", "return helper.VALUE", "", "import helper"), flow_v2("moved", "return 5")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.invalid", "-c", "init.defaultBranch=main"]
    project.write({"flows/moved.py": old, "flows/helper.py": "VALUE = 5"})
    for command in (["init", "-q"], ["add", "flows"], ["commit", "-qm", "old"], ["tag", "before"]):
        subprocess.run([*git, *command], cwd=project.path, check=True)
    project.write({"flows/moved.py": new})
    (project.path / "flows/helper.py").unlink()
    run = project.run("-v")
    assert run.status == 0, run.printed
    assert run.verdicts == {"moved": "equivalent"}
    assert "flows/moved.py::flow PASSED" in run.out
    assert (project.path / "flows/moved.py").read_text() == new
