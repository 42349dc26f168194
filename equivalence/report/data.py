"""The report as JSON data: what ``report.json`` holds, by the schema that ships beside this file.

Everything here is plain data, so that it can travel from an xdist worker to the controller.
"""

from __future__ import annotations

import base64
import json
import math
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from equivalence import catalogue
from equivalence.cases import Again, Case
from equivalence.environments import Environment
from equivalence.errors import UsageProblem
from equivalence.inside import values
from equivalence.judge import Finding
from equivalence.pairing import Ambiguity, Broken, Unpaired
from equivalence.result import PairResult

SCHEMA = "equivalence-report/1"
SCHEMA_FILE = Path(__file__).parent / "schema.json"
NAME = "report.json"
RUNS = "prefect2-home"
"""The folder below the report's in which Prefect 2 runs are kept."""

ORDER = ("error", "divergent", "vacuous", "noisy", "accepted", "equivalent")
"""Verdicts, worst first."""


def pair_data(result: PairResult) -> dict[str, Any]:
    """One entry of ``pairs``."""
    return {
        "id": result.pair.name,
        "v1": result.pair.v1.selector,
        "v2": result.pair.v2.selector,
        "verdict": result.verdict,
        "cases": {
            "run": result.cases,
            "completed": result.completed,
            "failed": result.failed,
            "refused": result.refused,
        },
        "faults": {"drawn": 0, "hit": 0},
        "tasks": dict(result.tasks),
        "compared": result.compared,
        "ignored": dict(result.ignored),
        "normalised": dict(result.normalised),
        "opaque": list(result.opaque),
        "uncompared": list(result.uncompared),
        "replaced": list(result.replaced),
        "notes": list(result.notes),
        "noise": [{"path": noise.path, "kind": noise.kind, "reason": noise.reason} for noise in result.noise],
        "seconds": {name: round(seconds, 3) for name, seconds in result.seconds.items()},
        "stopped": result.stopped,
        "settled": result.settled,
        "findings": [finding_data(finding) for finding in result.findings],
        "error": result.error,
    }


def error_data(name: str, v1: str | None, v2: str | None, message: str) -> dict[str, Any]:
    """The entry of a pair that could not be checked."""
    return {
        "id": name,
        "v1": v1,
        "v2": v2,
        "verdict": "error",
        "cases": {"run": 0, "completed": 0, "failed": 0, "refused": 0},
        "faults": {"drawn": 0, "hit": 0},
        "tasks": {"v1": 0, "v2": 0, "matched": 0, "reached": 0},
        "compared": 0,
        "ignored": {},
        "normalised": {},
        "opaque": [],
        "uncompared": [],
        "replaced": [],
        "notes": [],
        "noise": [],
        "seconds": {"v1": 0.0, "v2": 0.0, "overhead": 0.0, "wall": 0.0},
        "stopped": None,
        "settled": None,
        "findings": [],
        "error": message,
    }


def broken_data(broken: Broken) -> dict[str, Any]:
    """The entry of a pair of which a file did not load."""
    selectors = {flow.side: flow.selector for flow in broken.flows}
    selectors.update({problem.side: problem.path for problem in broken.problems})
    return error_data(broken.name, selectors.get("v1"), selectors.get("v2"), broken.message)


def finding_data(finding: Finding) -> dict[str, Any]:
    """One entry of ``findings``."""
    difference = finding.difference
    rule = catalogue.by_id(finding.rule)
    return {
        "id": finding.id,
        "kind": difference.kind,
        "task": difference.task,
        "path": difference.path,
        "v1": difference.v1,
        "v2": difference.v2,
        "note": difference.note,
        "rule": finding.rule,
        "cause": rule.cause if rule else None,
        "fix": rule.fix if rule else None,
        "accepted": None,
        "case": case_data(finding.case),
        "lines": dict(finding.lines),
        "first_task": finding.first_task,
        "also": list(finding.also),
        "follows": finding.follows,
        "shrunk": finding.shrunk,
        "confirmed": finding.confirmed,
        "flow_run": finding.flow_run,
        "reproduce": f"pytest --equivalence --equivalence-replay={finding.id}",
    }


def case_data(case: Case) -> dict[str, Any]:
    """A case for a reader (``parameters``) and, exactly, for a replay (``encoded``)."""
    return {
        "parameters": {name: readable(value) for name, value in case.parameters.items()},
        "faults": [],
        "seed": case.seed,
        "encoded": {name: values.encode(value) for name, value in case.parameters.items()},
        "again": [
            {
                "after": again.after,
                "changed": {name: readable(value) for name, value in again.changed.items()},
                "encoded": {name: values.encode(value) for name, value in again.changed.items()},
            }
            for again in case.again
        ],
    }


def readable(value: Any) -> Any:
    """A value as JSON where JSON has it, else as Python writes it."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if type(value) is list:
        return [readable(item) for item in value]
    if type(value) is dict and all(isinstance(key, str) for key in value):
        return {key: readable(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return f"base64:{base64.b64encode(value).decode()}"
    return repr(value)


def parameters_of(case: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a case in a report, as they were."""
    return {name: values.decode(envelope["root"], envelope.get("shared")) for name, envelope in case["encoded"].items()}


def again_of(case: Mapping[str, Any]) -> tuple[Again, ...]:
    """The further runs of a case in a report."""
    return tuple(Again(one["after"], parameters_of(one)) for one in case["again"])


def environment_data(environment: Environment) -> dict[str, Any]:
    """One entry of ``environments``."""
    return {
        "python": environment.python_version,
        "prefect": environment.prefect_version,
        "packages": dict(environment.packages),
        "hash": environment.hash,
        "interpreter": str(environment.python),
    }


def unpaired_data(unpaired: Unpaired) -> dict[str, Any]:
    """One entry of ``unpaired``."""
    return {
        "side": unpaired.side,
        "flow": unpaired.flow.selector,
        "nearest": unpaired.nearest.selector if unpaired.nearest is not None else None,
    }


def ambiguity_data(ambiguity: Ambiguity) -> dict[str, Any]:
    """One entry of ``ambiguous``: flows that could be paired in several ways, and the lines that settle it."""
    return {
        "v1": [flow.selector for flow in ambiguity.v1],
        "v2": [flow.selector for flow in ambiguity.v2],
        "configuration": ambiguity.configuration,
    }


def overall(verdicts: Sequence[str]) -> str:
    """The worst of the pairs' verdicts; ``vacuous`` of no pair at all."""
    return min(verdicts, key=ORDER.index, default="vacuous")


def report_data(
    pairs: Sequence[Mapping[str, Any]],
    *,
    environments: Mapping[str, Any],
    unpaired: Sequence[Mapping[str, Any]],
    ambiguous: Sequence[Mapping[str, Any]],
    started: float,
    seconds: float,
    seed: int | None,
    folder: Path | None = None,
) -> dict[str, Any]:
    """The whole of ``report.json``; ``started`` is a time stamp, ``seconds`` how long it took."""
    ordered = sorted(pairs, key=lambda pair: pair["id"])
    return {
        "schema": SCHEMA,
        "verdict": overall([pair["verdict"] for pair in ordered]),
        "started": datetime.fromtimestamp(started, timezone.utc).isoformat(),
        "seconds": round(seconds, 3),
        "seed": seed,
        "environments": dict(environments),
        "pairs": list(ordered),
        "unpaired": list(unpaired),
        "ambiguous": list(ambiguous),
        "runs": _runs(ordered, environments, folder),
        "unexplained": sum(finding["rule"] is None for pair in ordered for finding in own_findings(pair)),
    }


def _runs(pairs: Sequence[Mapping[str, Any]], environments: Mapping[str, Any], folder: Path | None) -> str | None:
    """The command that opens the kept Prefect 2 runs in the UI; None where there are none."""
    kept = any(finding.get("flow_run") for pair in pairs for finding in pair["findings"])
    if not kept or folder is None:
        return None
    python = environments["v2"].get("interpreter")
    program = Path(python).parent / "prefect" if python else "prefect"
    return f"PREFECT_HOME={folder / RUNS} {program} server start"


def own_findings(pair: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The findings of a pair that follow from no other one."""
    return [finding for finding in pair["findings"] if finding["follows"] is None]


def write(report: Mapping[str, Any], folder: Path) -> Path:
    """Write ``report.json`` whole or not at all. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder.parent / ".gitignore" if folder.parent.name == ".equivalence" else None
    if ignore is not None and not ignore.exists():
        ignore.write_text("# made by pytest --equivalence\n*\n", encoding="utf-8")
    path = folder / NAME
    fresh = folder / f".{NAME}.{os.getpid()}"
    try:
        fresh.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return path


def read(folder: Path) -> dict[str, Any]:
    """The last report. Raises UsageProblem when there is none, or it is not ours."""
    path = folder / NAME
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageProblem(
            f"no report to replay from: {path}: {error.strerror}; run `pytest --equivalence` first"
        ) from error
    except ValueError as error:
        raise UsageProblem(f"{path} is no report of ours: {error}; run `pytest --equivalence` again") from error
    if not isinstance(report, dict) or report.get("schema") != SCHEMA:
        raise UsageProblem(f"{path} is no {SCHEMA} report; run `pytest --equivalence` again")
    return report


def find(report: Mapping[str, Any], finding_id: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The pair and the finding of this id. Raises UsageProblem that lists the ids there are."""
    known = []
    for pair in report["pairs"]:
        for finding in pair["findings"]:
            if finding["id"] == finding_id:
                return pair, finding
            known.append(finding["id"])
    listed = ", ".join(known) if known else "it has no finding at all"
    raise UsageProblem(f"the last report has no finding {finding_id!r}; it has: {listed}")
