"""What rows of the migration guide look like on the command line, and what bad input of theirs ends in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project, Run, flow_v1, flow_v2

pytestmark = pytest.mark.engines

GOOD = ("good", flow_v1("good", "return 1"), flow_v2("good", "return 1"))


def explain(folder: Path, rule: str) -> subprocess.CompletedProcess[str]:
    """``--equivalence-explain`` in a folder without flows."""
    command = [sys.executable, "-m", "pytest", "--equivalence", f"--equivalence-explain={rule}"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_a_rule_is_explained_without_any_environment(tmp_path: Path) -> None:
    """Cause, fix and reading are printed, and nothing is built or collected."""
    ended = explain(tmp_path, "retries-off-by-one")
    assert ended.returncode == 0
    assert ended.stdout.startswith("retries-off-by-one: ")
    assert all(f"\n{word}: " in ended.stdout for word in ("Cause", "Fix", "Read"))
    assert "collected" not in ended.stdout


def test_an_unknown_rule_is_a_usage_error(tmp_path: Path) -> None:
    """Exit status 4, and the nearest rule."""
    ended = explain(tmp_path, "retries-of-by-one")
    assert ended.returncode == 4
    assert "did you mean 'retries-off-by-one'?" in ended.stderr


@pytest.fixture(scope="module")
def bad(make_project: Callable[[str], Project]) -> Run:
    """One run over a project in which most things are wrong; the good pair has to be there all the same."""
    project = make_project("rows")
    old = {"good.py": GOOD[1]}
    new = {"good.py": GOOD[2]}
    old["cloud.py"] = flow_v1(
        "cloud", "return get_key_value('limit')", more="from prefect.backend import get_key_value"
    )
    new["cloud.py"] = flow_v2("cloud", "return 3")
    old["deployed.py"] = flow_v1("deployed", "return 1")
    new["deployed.py"] = flow_v2("deployed", "return 1").replace(
        "    return work()", "    from prefect.deployments import run_deployment\n    return run_deployment('a/b')"
    )
    old["secret.py"] = flow_v1("secret", "return Secret('MISSING_KEY').get()", more="from prefect.client import Secret")
    new["secret.py"] = flow_v2("secret", "return 1")
    old["extra.py"] = flow_v1("extra", "return 1", more="from prefect.tasks.snowflake import SnowflakeQuery")
    new["extra.py"] = flow_v2("extra", "return 1")
    schedule = "from prefect.schedules import CronSchedule"
    old["schedule.py"] = (
        flow_v1("schedule", "return 1", more=schedule) + "\nflow.schedule = CronSchedule('0 6 * * *')\n"
    )
    new["schedule.py"] = flow_v2("schedule", "return 1")
    project.v1(old)
    project.v2(new)
    project.write({"prefect.yaml": "deployments:\n  - name: d\n   entrypoint: [broken\n"})
    return project.run("--equivalence-examples=3")


def test_the_rest_goes_on(bad: Run) -> None:
    """One pair that cannot be checked takes no other with it."""
    assert bad.verdicts["good"] == "equivalent"
    assert bad.status == 1


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("cloud", ("v1 flow cannot be run here", "Prefect Cloud or a server", "[tool.equivalence.environment]")),
        ("deployed", ("v2 flow cannot be run here", "run_deployment('a/b')", "call the flow itself")),
        ("secret", ("MISSING_KEY", "[tool.equivalence.environment]", "secrets = { MISSING_KEY")),
        ("extra", ("snowflake", "extra")),
    ],
)
def test_what_cannot_be_run_is_an_error_that_says_why(bad: Run, pair: str, words: tuple[str, ...]) -> None:
    """No difference and no pass: what was asked for, where, and what to do."""
    assert bad.verdicts[pair] == "error", bad.printed
    told = str(bad.pair(pair)["error"])
    assert all(word in told for word in words), told


def test_a_broken_prefect_yaml_is_told_where_it_matters(bad: Run) -> None:
    """The pairs are checked; that no deployment could be read is said with the parser's words."""
    entry = bad.pair("schedule")
    assert entry["verdict"] == "equivalent"
    assert any("no deployment of the v2 flow was found" in said for said in entry["uncompared"])
    assert any("prefect.yaml cannot be read" in note for note in entry["notes"]), entry["notes"]
