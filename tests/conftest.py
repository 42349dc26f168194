"""Fixtures that many tests share: ready environments, warm workers, and whole projects run by the real command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from equivalence.environments import Environment, SideRequest, ensure_environments
from equivalence.environments.cache import cache_root
from equivalence.worker import MARK, Worker, WorkerSpec

REPOSITORY = Path(__file__).resolve().parents[1]
SESSION_LIMIT = 170
"""Seconds that one run of the command line may take on a busy machine."""


@pytest.fixture(scope="session")
def environments() -> dict[str, Environment]:
    """Both virtualenvs, as the product builds them; found ready by every later session."""
    pair = ensure_environments(SideRequest("v1"), SideRequest("v2"), lambda line: print(line, file=sys.stderr))
    return {"v1": pair[0], "v2": pair[1]}


@pytest.fixture(scope="session")
def variables(environments: Mapping[str, Environment]) -> dict[str, str]:
    """The variables of a command line: the caller's, without what steers the pytest that runs these tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PREFECT_", "COV_"))}
    # A test may change HOME, and with it the place of the cache.
    return {**kept, "EQUIVALENCE_CACHE_DIR": str(cache_root()), "COLUMNS": "120", "PYTHONDONTWRITEBYTECODE": "1"}


WorkerOf = Callable[[str, Mapping[str, str]], Worker]


@pytest.fixture(scope="module")
def worker_of(environments: Mapping[str, Environment], tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerOf]:
    """Makes the warm worker of a side with these files in its flows folder; ended with the module."""
    made: list[Worker] = []

    def make(side: str, files: Mapping[str, str], **changes: Any) -> Worker:
        root = tmp_path_factory.mktemp(f"side-{side}")
        flows = root / "flows"
        flows.mkdir()
        write(flows, files)
        environment = environments[side]
        options: dict[str, Any] = {"home_template": environment.home_template, "python": environment.python, **changes}
        worker = Worker(WorkerSpec(side=side, root=root, flows=flows, shown=flows, shown_root=root, **options))
        made.append(worker)
        worker.launch()
        return worker

    yield make
    for worker in made:
        worker.stop()


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write files, by their path below a folder; common indentation is taken away."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the command line: how it ended, what it printed, and the report it wrote."""

    status: int
    out: str
    err: str
    report: dict[str, Any] | None
    seconds: float

    @property
    def printed(self) -> str:
        """Everything printed, for messages of failing tests."""
        return f"{self.out}\n--- stderr ---\n{self.err}"

    def pair(self, name: str) -> dict[str, Any]:
        """The report's entry of one pair."""
        assert self.report is not None, self.printed
        found: dict[str, dict[str, Any]] = {pair["id"]: pair for pair in self.report["pairs"]}
        assert name in found, f"no pair {name!r} among {sorted(found)}\n{self.printed}"
        return found[name]

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict of every pair."""
        assert self.report is not None, self.printed
        return {pair["id"]: pair["verdict"] for pair in self.report["pairs"]}

    def block(self, name: str) -> str:
        """The block that the terminal shows for a pair that failed, without its heading."""
        found = re.search(
            rf"^_+ {re.escape(name)} _+\n(.*?)(?=^_{{3,}} |^={{3,}} )", self.out, re.MULTILINE | re.DOTALL
        )
        assert found is not None, f"no block of {name!r}\n{self.printed}"
        return found[1].strip("\n")

    def line(self, name: str) -> str:
        """The summary's line of a pair, with what is indented below it."""
        summary = self.out.partition(" equivalence ====")[2]
        found = re.search(rf"^{re.escape(name)} .*\n(?: .*\n)*", summary, re.MULTILINE)
        assert found is not None, f"no line of {name!r}\n{self.printed}"
        return found[0]


@dataclass(slots=True)
class Project:
    """A user's project: two folders of flows and a pyproject.toml, on which the real command line is run."""

    path: Path
    variables: dict[str, str] = field(repr=False)

    def v1(self, files: Mapping[str, str]) -> None:
        """Write Prefect 1 flow files."""
        write(self.path / "flows_v1", files)

    def v2(self, files: Mapping[str, str]) -> None:
        """Write Prefect 2 flow files."""
        write(self.path / "flows_v2", files)

    def configure(self, text: str) -> None:
        """Write the pyproject.toml."""
        write(self.path, {"pyproject.toml": text})

    def write(self, files: Mapping[str, str]) -> None:
        """Write other files of the project."""
        write(self.path, files)

    def run(self, *arguments: str, plugin: bool = True, **variables: str) -> Run:
        """``pytest --equivalence`` with these arguments, in the project's folder and a process of its own."""
        report = self.path / ".equivalence/report/report.json"
        before = report.stat().st_mtime_ns if report.exists() else None
        command = [sys.executable, "-m", "pytest", "--color=no", *(["--equivalence"] if plugin else []), *arguments]
        started = time.monotonic()
        ended = subprocess.run(
            command,
            cwd=self.path,
            env={**self.variables, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=SESSION_LIMIT,
            check=False,
        )
        fresh = report.exists() and report.stat().st_mtime_ns != before
        return Run(
            ended.returncode,
            ended.stdout,
            ended.stderr,
            json.loads(report.read_text(encoding="utf-8")) if fresh else None,
            time.monotonic() - started,
        )


@pytest.fixture(scope="session")
def make_project(variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Project]:
    """Makes an empty project with a name; for fixtures that run a session once for many tests."""

    def make(name: str) -> Project:
        path = tmp_path_factory.mktemp(name)
        for folder in ("flows_v1", "flows_v2"):
            (path / folder).mkdir()
        (path / "pyproject.toml").write_text("", encoding="utf-8")
        return Project(path, dict(variables))

    return make


@pytest.fixture
def project(make_project: Callable[[str], Project]) -> Project:
    """An empty project of the test's own."""
    return make_project("project")


def workers_alive(root: Path | None = None) -> list[psutil.Process]:
    """Processes that carry a worker's mark, those below ``root`` only where it is given."""
    found = []
    for process in psutil.process_iter():
        try:
            if MARK in process.environ() and (root is None or Path(process.cwd()).is_relative_to(root)):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def flow_v1(name: str, body: str, parameters: str = "", more: str = "") -> str:
    """A Prefect 1 flow with one task ``work``, which gets the flow's parameters: ``count=3, name='x'``."""
    given = [
        (name.strip(), default.strip())
        for name, _, default in (part.partition("=") for part in parameters.split(",") if part.strip())
    ]
    names = [name for name, _ in given]
    lines = [f"    {name} = Parameter({name!r}, default={default})" for name, default in given]
    return "\n".join(
        [
            "from prefect import Flow, Parameter, task",
            textwrap.dedent(more),
            "@task",
            f"def work({', '.join(names)}):",
            textwrap.indent(textwrap.dedent(body).strip("\n"), "    "),
            "",
            f"with Flow({name!r}) as flow:",
            *lines,
            f"    work({', '.join(names)})",
            "",
        ]
    )


def flow_v2(name: str, body: str, parameters: str = "", more: str = "") -> str:
    """The Prefect 2 flow that is the migration of ``flow_v1`` with the same arguments."""
    names = [part.split("=")[0].strip() for part in parameters.split(",") if part.strip()]
    return "\n".join(
        [
            "from prefect import flow, task",
            textwrap.dedent(more),
            "@task",
            f"def work({', '.join(names)}):",
            textwrap.indent(textwrap.dedent(body).strip("\n"), "    "),
            "",
            f"@flow(name={name!r})",
            f"def migrated({parameters}):",
            f"    return work({', '.join(names)})",
            "",
        ]
    )
