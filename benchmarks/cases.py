"""A case through the gate, against fresh processes for each case, and against a bare warm loop of the v2 flow alone."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.table import Row, ratio
from equivalence.check import PairCheck
from equivalence.config import Overrides
from equivalence.session import Session

ROOT = Path(__file__).parent.parent
PAIR = "g05_output"
CASES = 50
FRESH = 4

V1 = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("flow_file", sys.argv[1])
module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
for parameters in json.loads(sys.argv[2]):
    print(module.flow.run(parameters=parameters))
"""
V2 = """
import importlib.util, json, sys, time
spec = importlib.util.spec_from_file_location("flow_file", sys.argv[1])
module = importlib.util.module_from_spec(spec); sys.modules["flow_file"] = module; spec.loader.exec_module(module)
from prefect import Flow
flow = next(value for value in vars(module).values() if isinstance(value, Flow))
for parameters in json.loads(sys.argv[2]):
    began = time.perf_counter()
    print(flow(**parameters, return_state=True).name, flush=True)
    print("SECONDS", time.perf_counter() - began, flush=True)
"""


def rows() -> list[Row]:
    """Both ratios, at 50 cases of a pair of five tasks, environments built."""
    session = Session.open(ROOT, ROOT / "pyproject.toml", Overrides(examples=CASES, budget=600, shrink=0), print)
    folder = Path(tempfile.mkdtemp(prefix="equivalence-bench-"))
    try:
        pair = session.pair(PAIR)
        check = PairCheck(
            pair,
            (session.described["v1"].flows[pair.v1], session.described["v2"].flows[pair.v2]),
            session.sides,
            shrink=0,
        )
        check.replay(check.case({}))  # the first run of a process is slower on all sides
        began = time.perf_counter()
        result = check.run()
        gate = (time.perf_counter() - began) / (result.cases - 1)
        assert result.verdict == "equivalent", result.findings
        parameters = [case.for_v2() for case in check.cases if _plain(case.for_v2())]
        home = folder / "home"
        template = session.environments["v2"].home_template
        assert template is not None
        shutil.copytree(template, home)
        session.sides.close()
        bare = _bare(session, home, parameters)
        fresh = statistics.median(_fresh(session, home, parameters[index]) for index in range(FRESH))
    finally:
        session.close()
        shutil.rmtree(folder, ignore_errors=True)
    return [
        Row(
            f"fresh processes / gate, per case ({result.cases} cases)",
            f"{fresh:.3g} s",
            f"{gate:.3g} s",
            fresh / gate,
            "≥ 10",
            fresh / gate >= 10,
        ),
        ratio("gate / bare warm loop of v2 alone, per case", gate, bare, at_most=1.10),
    ]


def _plain(parameters: dict[str, object]) -> bool:
    try:
        return bool(json.loads(json.dumps(parameters, allow_nan=False)) == parameters)
    except (TypeError, ValueError):
        return False


def _variables(home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PREFECT_HOME": str(home),
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT__LOGGING__LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "PYTHONWARNINGS": "ignore",
    }


def _bare(session: Session, home: Path, parameters: list[dict[str, object]]) -> float:
    """Seconds for a run in one warm process that does nothing but call the v2 flow; the first run left out."""
    output = subprocess.run(
        [str(session.environments["v2"].python), "-c", V2, str(ROOT / f"flows_v2/{PAIR}.py"), json.dumps(parameters)],
        env=_variables(home),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    seconds = [float(line.split()[1]) for line in output.splitlines() if line.startswith("SECONDS")]
    return statistics.mean(seconds[1:])


def _fresh(session: Session, home: Path, parameters: dict[str, object]) -> float:
    """Seconds for one case with a new process per side, both at the same time."""
    began = time.perf_counter()
    processes = [
        subprocess.Popen(
            [
                str(session.environments[side].python),
                "-c",
                script,
                str(ROOT / f"flows_{side}/{PAIR}.py"),
                json.dumps([parameters]),
            ],
            env=_variables(home),
            stdout=subprocess.DEVNULL,
        )
        for side, script in (("v1", V1), ("v2", V2))
    ]
    for process in processes:
        process.wait()
    return time.perf_counter() - began
