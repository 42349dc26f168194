"""``report.json`` keeps its contract: every kind of verdict, validated against the schema that ships with it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from equivalence.report.data import SCHEMA_FILE
from tests.conftest import Project, Run, flow_v1, flow_v2

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """Validates reports by the shipped schema, which is a valid schema itself."""
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.fixture(scope="module")
def run(make_project: Callable[[str], Project]) -> Run:
    """A session with every verdict that a session can give by now."""
    project = make_project("reported")
    project.configure("[tool.equivalence]\nexamples = 4\nshrink = 2\n")
    slow = "import time\ntime.sleep(0.3)\nreturn count"
    project.v1(
        {
            "same.py": flow_v1("same", "return count", "count=1"),
            "slow.py": flow_v1("slow", slow, "count=1"),
            "opaque.py": flow_v1("opaque", "return [1.5, {1, 2}, __import__('threading').Lock()]"),
            "differs.py": flow_v1("differs", "return {'when': when, 'b': b'x'}", "when='2024-01-01'"),
            "default.py": flow_v1("default", "return 1", "count=1"),
            "broken.py": "1/0",
            "crash.py": flow_v1("crash", "import os\nos._exit(1)"),
            "lonely.py": flow_v1("quite lonely", "return 1"),
            "unclear.py": flow_v1("a", "return 1") + flow_v1("b", "return 1").replace("as flow", "as other"),
        }
    )
    project.v2(
        {
            "same.py": flow_v2("same", "return count", "count=1").replace("count=1", "count: int = 1"),
            "slow.py": flow_v2("slow", "return count", "count=1").replace("count=1", "count: int = 1"),
            "opaque.py": flow_v2("opaque", "return [1.5, {1, 2}, __import__('threading').Lock()]"),
            "differs.py": flow_v2("differs", "return {'when': when, 'b': b'y'}", "when='2024-01-01'"),
            "default.py": flow_v2("default", "return 1", "count=2"),
            "broken.py": flow_v2("broken", "return 1"),
            "crash.py": flow_v2("crash", "import os\nos._exit(1)"),
            "unclear.py": flow_v2("c", "return 1") + flow_v2("d", "return 1").replace("def migrated", "def second"),
        }
    )
    return project.run()


def test_a_real_report_is_valid(run: Run, validator: Draft202012Validator) -> None:
    """A report with equivalent, divergent, vacuous, error, unpaired and ambiguous entries fits the schema."""
    assert run.report is not None, run.printed
    assert [error.message for error in validator.iter_errors(run.report)] == []
    assert set(run.verdicts.values()) >= {"equivalent", "divergent", "vacuous", "error"}
    assert run.report["unpaired"]
    assert run.report["ambiguous"]


def test_the_worst_verdict_is_the_reports(run: Run) -> None:
    """The report as a whole has the verdict of its worst pair."""
    assert run.report is not None
    assert run.report["verdict"] == "error"


def test_seconds_are_the_pairs_own(run: Run) -> None:
    """``seconds`` counts one pair: a slow pair's time is not in the next one's, and overhead is what is left."""
    slow, same = run.pair("slow")["seconds"], run.pair("same")["seconds"]
    assert slow["v1"] >= 4 * 0.3 > same["v1"]
    # "unclear" aside, pairs run in the order of their files: "slow" is the last, so look at what precedes it, too.
    total = sum(pair["seconds"]["v1"] for pair in run.report["pairs"]) if run.report else 0.0
    assert slow["v1"] < total < run.seconds
    assert slow["overhead"] == pytest.approx(slow["wall"] - max(slow["v1"], slow["v2"]), abs=0.01)


def test_the_signature_alone_is_a_finding(run: Run) -> None:
    """A changed default is in the report without a run: no lines, and the case of the defaults."""
    finding = next(one for one in run.pair("default")["findings"] if one["path"] == "parameters.count.default")
    assert (finding["kind"], finding["v1"], finding["v2"], finding["lines"]) == ("parameter", "1", "2", {})


def without(report: dict[str, Any], *path: Any) -> None:
    """Take the entry at a path out."""
    for step in path[:-1]:
        report = report[step]
    del report[path[-1]]


def put(report: dict[str, Any], value: Any, *path: Any) -> None:
    """Put a value in the place of the one at a path."""
    for step in path[:-1]:
        report = report[step]
    report[path[-1]] = value


def at(report: dict[str, Any], name: str) -> int:
    """The place of a pair in the report."""
    return [pair["id"] for pair in report["pairs"]].index(name)


@pytest.mark.parametrize(
    "path",
    [
        ("environments", "v2", "prefect"),
        ("differs", "seconds", "overhead"),
        ("differs", "uncompared"),
        ("differs", "findings", 0, "reproduce"),
        ("differs", "findings", 0, "case", "encoded"),
        ("unpaired", 0, "nearest"),
    ],
)
def test_a_missing_key_is_refused(run: Run, validator: Draft202012Validator, path: tuple[Any, ...]) -> None:
    """The schema asks for every key of the contract, at every level."""
    report = copy.deepcopy(run.report)
    assert report is not None
    if path[0] == "differs":
        path = ("pairs", at(report, "differs"), *path[1:])
    without(report, *path)
    assert not validator.is_valid(report)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("verdict",), "fine"),
        (("schema",), "equivalence-report/2"),
        (("seed",), "1"),
        (("differs", "verdict"), "equivalent"),
        (("differs", "compared"), -1),
        (("differs", "compared"), 1.5),
        (("differs", "findings"), []),
        (("differs", "findings", 0, "kind"), "something"),
        (("differs", "findings", 0, "confirmed"), "yes"),
        (("broken", "error"), None),
        (("same", "error"), "late"),
        (("unpaired", 0, "side"), "v3"),
    ],
)
def test_a_wrong_value_is_refused(run: Run, validator: Draft202012Validator, path: tuple[Any, ...], value: Any) -> None:
    """The schema is strict about types, verdicts and kinds, and about what a verdict promises."""
    report = copy.deepcopy(run.report)
    assert report is not None
    if path[0] in ("differs", "broken", "same"):
        path = ("pairs", at(report, path[0]), *path[1:])
    put(report, value, *path)
    assert not validator.is_valid(report)
