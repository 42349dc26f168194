"""Second start of ``pytest --equivalence`` until its first case ran, against a bare import and first run of v2."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.cases import ROOT, _variables
from benchmarks.table import Row, ratio
from equivalence.config import Overrides
from equivalence.session import Session

TIMES = 5

V1 = """
from prefect import Flow, task

@task
def tell():
    return 1

with Flow("tell") as flow:
    tell()
"""
V2 = """
import os, time
from prefect import flow, task

@task
def tell():
    with open(os.environ["TOLD"], "a") as file:
        file.write("%r\\n" % time.time())
    return 1

@flow(name="tell")
def tell_flow():
    return tell()
"""


def rows() -> list[Row]:
    """The ratio of the two medians, measured in turn."""
    session = Session.open(ROOT, ROOT / "pyproject.toml", Overrides(), print)
    environment = session.environments["v2"]
    session.close()
    folder = Path(tempfile.mkdtemp(prefix="equivalence-bench-"))
    gate: list[float] = []
    bare: list[float] = []
    try:
        assert environment.home_template is not None
        shutil.copytree(environment.home_template, folder / "home")
        told = folder / "told"
        for side, text in (("v1", V1), ("v2", V2)):
            (folder / f"flows_{side}").mkdir()
            (folder / f"flows_{side}/tell.py").write_text(text)
        (folder / "pyproject.toml").write_text(
            f'[tool.equivalence]\nexamples = 1\n[tool.equivalence.environment]\nvariables = {{ TOLD = "{told}" }}\n'
        )
        script = "import tell; tell.tell_flow()"
        for _ in range(TIMES):
            gate.append(_until_told([sys.executable, "-m", "pytest", "--equivalence", "-q"], folder, told, None))
            variables = {**_variables(folder / "home"), "TOLD": str(told), "PYTHONPATH": str(folder / "flows_v2")}
            bare.append(_until_told([str(environment.python), "-c", script], folder, told, variables))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return [
        ratio(
            "start until the first case / bare import and first run",
            statistics.median(gate),
            statistics.median(bare),
            at_most=1.25,
        )
    ]


def _until_told(command: list[str], folder: Path, told: Path, variables: dict[str, str] | None) -> float:
    """Seconds until the flow's first task ran."""
    told.unlink(missing_ok=True)
    began = time.time()
    environment = dict(os.environ) if variables is None else variables
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return float(told.read_text().splitlines()[0]) - began
