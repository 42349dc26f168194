"""Finds the planted bugs, and prints what was found: ``python -m tests.planted_table [NAME…]``.

One temporary project holds, for every bug, its portfolio pair under the bug's name, one of the two files edited; one
session of warm workers checks them all.
"""

from __future__ import annotations

import functools
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import settings

from equivalence.compare.states import Difference
from equivalence.config import Overrides, PairSettings, Settings, load_settings
from equivalence.judge import Finding, Identity
from equivalence.result import PairResult
from equivalence.session import Hooks, Session
from tests.planted import PLANTED, PlantedBug, apply

ROOT = Path(__file__).resolve().parents[1]
BUDGET = 60.0
SHRINK = 6.0

settings.register_profile("planted", derandomize=True, database=None)


def write_project(root: Path) -> None:
    """One pair of files for every bug, named after it, and the deployments of these."""
    head, _, entries = (ROOT / "prefect.yaml").read_text(encoding="utf-8").partition("deployments:\n")
    deployments = ""
    for bug in PLANTED:
        for side in ("flows_v1", "flows_v2"):
            original = f"{side}/{bug.stem}.py"
            source = (ROOT / original).read_text(encoding="utf-8")
            path = root / side / f"{module(bug)}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(apply(bug, source) if original == bug.file else source, encoding="utf-8")
        if f"{bug.stem}.py" in entries:
            edited = apply(bug, entries) if bug.file == "prefect.yaml" else entries
            deployments += edited.replace(f"{bug.stem}.py", f"{module(bug)}.py")
    (root / "prefect.yaml").write_text(f"{head}deployments:\n{deployments}", encoding="utf-8")


def module(bug: PlantedBug) -> str:
    """The name of the bug's files, without the suffix."""
    return bug.name.replace("-", "_")


def open_session(root: Path) -> Session:
    """The session of the project: the repository's environment, and the plugin's own defaults for all else."""
    write_project(root)
    settings = load_settings(root, None, Overrides(budget=BUDGET, shrink=SHRINK))
    own = portfolio_settings()
    return Session(replace(settings, variables=own.variables, secrets=own.secrets), lambda text: None)


@functools.cache
def portfolio_settings() -> Settings:
    """What this repository configures for its own portfolio."""
    return load_settings(ROOT, ROOT / "pyproject.toml", Overrides())


def settings_of(bug: PlantedBug) -> PairSettings:
    """What is said about the pair that the bug is planted in, with the bug's number of cases."""
    settings = portfolio_settings().for_pair(bug.stem)
    return replace(settings, v1=None, v2=None, examples=bug.examples, budget=BUDGET, patience=0)


def check(session: Session, bug: PlantedBug) -> PairResult:
    """Check the bug's pair as the plugin does, with the bug's number of cases; the same cases on every machine.

    Of a file with several flows the pair that shows the bug, or the last one.
    """
    hooks = Hooks(strategies=lambda pair: {}, comparator=lambda pair: None)
    settings.load_profile("planted")
    try:
        for pair in (pair for pair in session.pairing.pairs if Path(pair.v1.file).stem == module(bug)):
            result = session.check(replace(pair, settings=settings_of(bug)), hooks, lambda text: None).run()
            if expected(bug, result) is not None:
                break
        return result
    finally:
        settings.load_profile("default")


def expected(bug: PlantedBug, result: PairResult) -> Finding | None:
    """The finding that the bug has to lead to: its kind, and its place where the bug names one."""
    for finding in result.findings:
        difference = finding.difference
        same_task = bug.task is None or (difference.task or "").partition("[")[0].partition("#")[0] == bug.task
        if difference.kind == bug.kind and same_task:
            return finding
    return None


def without_indexes(path: str) -> str:
    """A path as the identity of a finding has it."""
    return Identity.of(Difference("", path, "", "")).path


def row(bug: PlantedBug, result: PairResult) -> str:
    """One line of the table."""
    finding = expected(bug, result)
    if finding is None:
        seen = ", ".join(f"{found.difference.kind} {found.difference.path}" for found in result.findings)
        return f"| {bug.name} | {bug.kind}: NOT FOUND ({seen or 'nothing'}) | | |"
    case = finding.case.show()
    return f"| {bug.name} | {bug.kind} `{finding.difference.path}` | {case} | {finding.rule or '-'} |"


def main(names: list[str]) -> int:
    """Print the table; 1 when a bug was not found."""
    unfound = 0
    with tempfile.TemporaryDirectory() as folder:
        session = open_session(Path(folder).resolve())
        try:
            print("| planted bug | found | smallest case | rule |\n|---|---|---|---|")
            for bug in PLANTED:
                if names and bug.name not in names:
                    continue
                result = check(session, bug)
                print(row(bug, result), flush=True)
                unfound += expected(bug, result) is None
        finally:
            session.close()
    return min(unfound, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
