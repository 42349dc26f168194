"""A run that differs opens in Prefect 2's own server, from the home that the report keeps."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Project

pytestmark = pytest.mark.engines

ROOT = Path(__file__).resolve().parents[2]


def ask(port: int, what: str) -> Any:
    """One answer of the server's REST API."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/{what}/filter", data=b"{}", headers={"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def test_a_diverging_run_is_there_with_its_tasks(make_project: Callable[[str], Project]) -> None:
    """The printed command starts a server that knows the run by its name, and no other one."""
    project = make_project("kept")
    for side in ("flows_v1", "flows_v2"):
        source = (ROOT / side / "g32_stored_runs.py").read_text(encoding="utf-8")
        if side == "flows_v2":
            source = source.replace('"pages": 3', '"pages": 2')
        project.write({f"{side}/audit.py": source, f"{side}/same.py": source.replace('"pages": 2', '"pages": 3')})
    run = project.run("--equivalence-examples=3")
    assert run.report is not None, run.printed
    command = run.report["runs"]
    assert f"PREFECT_HOME={project.path}" in run.out
    home, program, *arguments = command.split()
    port = _free_port()
    environment = {
        **project.variables,
        "PREFECT_HOME": home.partition("=")[2],
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    log = project.path / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [program, *arguments, "--host", "127.0.0.1", "--port", str(port)],
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        flow_runs = _when_up(lambda: ask(port, "flow_runs"), server, log)
        task_runs = ask(port, "task_runs")
    finally:
        server.terminate()
        server.wait(30)
    names = {finding["flow_run"] for finding in run.pair("audit")["findings"] if finding["flow_run"]}
    assert {flow_run["name"] for flow_run in flow_runs} == names
    assert {task_run["name"] for task_run in task_runs} == {"open_ledger-0", "check_pages-0", "sign_off-0"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _when_up(ask_it: Callable[[], Any], server: subprocess.Popen[bytes], log: Path) -> Any:
    for _ in range(240):
        try:
            return ask_it()
        except OSError:
            assert server.poll() is None, log.read_text(errors="replace")
            time.sleep(0.25)
    raise AssertionError(f"the server did not answer:\n{log.read_text(errors='replace')}")
