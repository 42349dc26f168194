"""The command line as a user has it: what runs, what it prints, and how it ends."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import pytest

from tests.conftest import Project, Run, flow_v1, flow_v2, workers_alive

pytestmark = pytest.mark.engines

DOUBLED = "return {'total': count * 2, 'name': name}"
WRONG = "return {'total': count * 2 + (count > 7), 'name': name}"
PARAMETERS = "count=3, name='x'"
TYPED = "count: int = 3, name: str = 'x'"


def v2_of(name: str, body: str) -> str:
    """The migration with annotations at the flow, as Prefect 2 flows have them."""
    return flow_v2(name, body, PARAMETERS).replace(f"def migrated({PARAMETERS})", f"def migrated({TYPED})")


def fill(project: Project) -> None:
    """Three pairs (green, one with a bug, one that does not import), and flows that make no pair."""
    project.configure(
        """
        [tool.equivalence]
        examples = 12
        shrink = 20
        """
    )
    project.v1(
        {
            "green.py": flow_v1("Green", DOUBLED, PARAMETERS),
            "bug.py": flow_v1("Bug", DOUBLED, PARAMETERS),
            "broken.py": "import missing_of_user\n" + flow_v1("Broken", DOUBLED),
            "lonely_export.py": flow_v1("Lonely export", "return 1"),
            "unclear.py": flow_v1("one", "return 1") + flow_v1("two", "return 2").replace("as flow", "as other"),
        }
    )
    project.v2(
        {
            "green.py": v2_of("Green", DOUBLED),
            "bug.py": v2_of("Bug", WRONG),
            "broken.py": v2_of("Broken", "return 1"),
            "lonely_exports.py": flow_v2("Lonely exports of old", "return 1"),
            "unclear.py": flow_v2("first", "return 1")
            + flow_v2("second", "return 2").replace("def migrated", "def other"),
        }
    )


@pytest.fixture(scope="module")
def mixed(make_project: Callable[[str], Project]) -> Project:
    """A project with pairs of every fate; its sessions are run in the order of the tests below."""
    project = make_project("mixed")
    fill(project)
    return project


@pytest.fixture(scope="module")
def whole(mixed: Project) -> Run:
    """The whole project, once."""
    return mixed.run("--junitxml=out.xml", "--hypothesis-seed=1")


def test_a_bug_fails_the_session_and_the_rest_goes_on(whole: Run) -> None:
    """One divergent pair and one that does not import make exit 1; the other pairs have their verdicts."""
    assert whole.status == 1, whole.printed
    assert whole.verdicts == {
        "bug": "divergent",
        "broken": "error",
        "green": "equivalent",
        "unclear::two": "equivalent",
    }
    assert "1 failed, 2 passed, 1 error" in whole.out


def test_the_block_of_a_divergence(whole: Run) -> None:
    """A divergence is told in at most 25 lines: given, v1, v2, the task, the path, the cause, the command."""
    block = whole.block("bug")
    lines = block.splitlines()
    assert len(lines) <= 25
    finding = whole.pair("bug")["findings"][0]
    assert finding["case"]["parameters"] == {"count": 8}, "the smallest case is the one at the border"
    assert re.search(r"^  given  count=8$", block, re.MULTILINE)
    assert re.search(r"^  v1     Success, work gave \{'total': 16, 'name': 'x'\}$", block, re.MULTILINE)
    assert re.search(r"^  v2     Completed, returned \{'total': 17, 'name': 'x'\}$", block, re.MULTILINE)
    assert "  first divergent task: work" in lines
    assert "  tasks.work.result.total: v1 16, v2 17" in lines
    assert "ikely cause" in block or "unexplained" in block
    assert lines[-1] == f"Reproduce with: pytest --equivalence --equivalence-replay={finding['id']}"


def test_a_file_that_does_not_import(whole: Run) -> None:
    """The error of a pair is the traceback of the user's file, without a frame of ours or of pytest's."""
    block = whole.block("ERROR at setup of broken")
    assert block.startswith("flows_v1/broken.py did not load:\nTraceback (most recent call last):")
    assert 'broken.py", line 1, in <module>' in block
    assert block.endswith("ModuleNotFoundError: No module named 'missing_of_user'")
    assert "equivalence/" not in block.replace("/flows_v1/", "")
    assert whole.pair("broken")["error"].endswith("No module named 'missing_of_user'")


def test_flows_without_a_counterpart_are_listed(whole: Run) -> None:
    """Flows that no rule pairs are in the summary and the report, each with the nearest of the other side."""
    line = "no counterpart: v1 flows_v1/lonely_export.py::flow; nearest: flows_v2/lonely_exports.py::migrated"
    assert line in whole.out
    assert whole.report is not None
    unpaired = {entry["flow"]: entry for entry in whole.report["unpaired"]}
    assert unpaired["flows_v2/lonely_exports.py::migrated"] == {
        "side": "v2",
        "flow": "flows_v2/lonely_exports.py::migrated",
        "nearest": "flows_v1/lonely_export.py::flow",
    }


def test_junit(whole: Run, mixed: Project) -> None:
    """``--junitxml`` holds a case per pair under the v1 file, with the block of what failed."""
    cases = {
        case.get("classname"): case for case in ElementTree.parse(mixed.path / "out.xml").getroot().iter("testcase")
    }
    assert set(cases) == {"flows_v1.bug", "flows_v1.green", "flows_v1.broken", "flows_v1.unclear"}
    failure = cases["flows_v1.bug"].find("failure")
    assert failure is not None
    assert "--equivalence-replay=bug-" in (failure.text or "")
    assert cases["flows_v1.broken"].find("error") is not None
    assert not list(cases["flows_v1.green"])


def test_the_report_is_kept_out_of_git(whole: Run, mixed: Project) -> None:
    """The folder of the report ignores itself."""
    assert "*" in (mixed.path / ".equivalence/.gitignore").read_text().split()


def test_a_seed_gives_the_same_cases(whole: Run, mixed: Project) -> None:
    """``--hypothesis-seed=1`` twice: the same cases, counts and findings, whatever the first run left behind.

    The second run also shows -q and a report in a folder of the caller's.
    """
    again = mixed.run("--hypothesis-seed=1", "-q", "--equivalence-report=elsewhere")
    assert again.report is None, "the default folder is left alone"
    report = json.loads((mixed.path / "elsewhere/report.json").read_text(encoding="utf-8"))
    assert whole.report is not None
    assert report["seed"] == whole.report["seed"] == 1
    for old, new in zip(whole.report["pairs"], report["pairs"], strict=True):
        assert (old["id"], old["cases"], old["compared"]) == (new["id"], new["cases"], new["compared"])
        assert [one["case"] for one in old["findings"]] == [one["case"] for one in new["findings"]]
    assert "test session starts" not in again.out
    assert "bug           divergent" in again.out


def test_last_failed(whole: Run, mixed: Project) -> None:
    """``--lf -x -v`` runs what failed last time, by its node id under the v1 file, and stops at the first."""
    run = mixed.run("--lf", "-x", "-v", "--equivalence-report=none")
    assert run.status == 1
    assert run.report is None, "none writes no report"
    assert not re.search(r"green", run.out)
    assert re.findall(r"^(\S+::\S+) (\w+) ", run.out, re.MULTILINE) in (
        [("flows_v1/bug.py::flow", "FAILED")],
        [("flows_v1/broken.py::broken", "ERROR")],
    )
    assert "stopping after 1 failures" in run.out


def test_collect_only(mixed: Project) -> None:
    """``--collect-only -q`` prints a node id per pair under the v1 file's path, and writes no report."""
    run = mixed.run("--collect-only", "-q")
    assert run.status == 0, run.printed
    assert run.out.splitlines()[:4] == [
        "flows_v1/bug.py::flow",
        "flows_v1/green.py::flow",
        "flows_v1/unclear.py::other",
        "flows_v1/broken.py::broken",
    ]
    assert run.report is None


@pytest.mark.parametrize(
    "arguments",
    [("-k", "green"), ("flows_v2/green.py",), ("flows_v1/green.py::flow",)],
    ids=["keyword", "v2-file", "v1-flow"],
)
def test_a_choice_of_pairs(mixed: Project, arguments: tuple[str, ...]) -> None:
    """``-k``, the file of either side and a flow's node id choose pairs; a green choice ends with 0.

    With them: at most as many cases as asked for.
    """
    run = mixed.run(*arguments, "--equivalence-examples=3")
    assert run.status == 0, run.printed
    assert run.verdicts == {"green": "equivalent"}
    assert run.pair("green")["cases"]["run"] == 3


def test_two_processes_write_one_report(mixed: Project) -> None:
    """``-n 2`` checks the same pairs, once each, into one report; ``--equivalence-shrink=0`` shrinks nothing."""
    run = mixed.run("-n", "2", "--equivalence-shrink=0", "--hypothesis-seed=1")
    assert run.status == 1, run.printed
    assert run.report is not None
    assert [pair["id"] for pair in run.report["pairs"]] == ["broken", "bug", "green", "unclear::two"]
    assert run.verdicts["bug"] == "divergent"
    assert len(run.report["unpaired"]) == 4
    assert run.report["environments"]["v1"]["prefect"].startswith("1.")
    assert not run.pair("bug")["findings"][0]["shrunk"]
    assert run.pair("bug")["cases"]["run"] <= 12, "without shrinking no case beyond the examples is run"
    assert workers_alive(mixed.path) == []


def test_a_budget_ends_a_pair(mixed: Project) -> None:
    """``--equivalence-budget`` ends a pair after so many seconds, and the report says why; one case runs always."""
    run = mixed.run("-k", "green or two", "--equivalence-budget=0.001", "--equivalence-examples=5000")
    assert run.status == 0, run.printed
    assert run.verdicts == {"green": "equivalent", "unclear::two": "equivalent"}
    pair = run.pair("green")
    assert pair["cases"]["run"] == 1
    assert pair["stopped"] is not None
    assert pair["seconds"]["wall"] < 10, "drawing thousands of cases that are not run takes time as well"


def test_replay(project: Project) -> None:
    """``--equivalence-replay`` runs the finding's case again: STILL DIFFERENT with 1, FIXED with 0."""
    fill(project)
    (project.path / "flows_v1/broken.py").unlink()
    first = project.run("flows_v1/bug.py", "--equivalence-examples=10")
    found = first.pair("bug")["findings"][0]
    finding, given = found["id"], found["lines"]["given"]
    still = project.run(f"--equivalence-replay={finding}")
    assert still.status == 1, still.printed
    assert f"{finding}: STILL DIFFERENT" in still.block("bug")
    assert f"  given  {given}\n" in still.out
    assert still.report is None, "a replay keeps the report it reads from"
    project.v2({"bug.py": v2_of("Bug", DOUBLED)})
    fixed = project.run(f"--equivalence-replay={finding}")
    assert fixed.status == 0, fixed.printed
    assert f"{finding}: FIXED" in fixed.out
    unknown = project.run("--equivalence-replay=bug-0000x")
    assert unknown.status == 4
    assert f"has no finding 'bug-0000x'; it has: {finding}" in unknown.err


def test_a_difference_of_signatures_is_replayed_without_a_run(project: Project) -> None:
    """A default that changed stays STILL DIFFERENT, although a run that gives the parameter agrees."""
    project.configure("[tool.equivalence]\nexamples = 3")
    project.v1({"one.py": flow_v1("one", "return count", "count=3")})
    project.v2({"one.py": flow_v2("one", "return 7", "count=4")})
    project.v1({"one.py": flow_v1("one", "return 7", "count=3")})
    finding = next(one for one in project.run().pair("one")["findings"] if one["kind"] == "parameter")
    run = project.run(f"--equivalence-replay={finding['id']}")
    assert run.status == 1, run.printed
    assert f"{finding['id']}: STILL DIFFERENT" in run.out


def test_options_need_the_switch(project: Project) -> None:
    """An option of the plugin without ``--equivalence`` is a usage error that says so."""
    run = project.run("--equivalence-examples=3", plugin=False)
    assert run.status == 4
    assert "--equivalence-examples does nothing without --equivalence" in run.err


def test_without_the_switch_nothing_happens(project: Project) -> None:
    """Without ``--equivalence`` the flows are not collected, and nothing of the plugin shows."""
    project.v1({"one.py": "raise SystemExit"})
    run = project.run(plugin=False)
    assert run.status == 5
    assert "equivalence:" not in run.printed
