"""A virtualenv that the user already has: used unchanged, asked again only when it has changed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from equivalence.environments.build import packages_of
from equivalence.environments.cache import LAYOUT, cache_root, digest, read_record, stamp, write_record
from equivalence.environments.interpreters import OLDEST, python_in
from equivalence.environments.process import Cancel, clean_variables, run
from equivalence.environments.records import Environment, SideRequest
from equivalence.errors import UsageProblem

_LIMIT_SECONDS = 60.0
_MARK = "equivalence-probe:"

# Any Python since 2.7. With site, since its .pth files decide what is importable there.
_PROBE = """
import sys, os, json, platform
version = platform.python_version().rstrip("+")
folders = [os.path.abspath(p) for p in sys.path if p and os.path.isdir(p)]
print("equivalence-probe:" + json.dumps({"python": version, "folders": folders}))
"""


def existing_environment(side: SideRequest, cancel: Cancel | None = None) -> Environment:
    """The environment of `interpreter`, which Prefect it holds not yet judged."""
    assert side.interpreter is not None
    # Not resolved: the link inside a virtualenv is what makes it one.
    python = side.interpreter.expanduser().absolute()
    if python.is_dir():
        python = python_in(python)
    where = f"interpreter = {str(side.interpreter)!r} under {side.table}"
    if not python.exists():
        raise UsageProblem(
            f"{where}: there is no {python}. What to do: give the path of the Python in that virtualenv, "
            "for instance envs/prod/bin/python, or leave it out and have an environment built."
        )
    record_path = cache_root() / "interpreters" / f"{digest(LAYOUT, str(python))}.json"
    record = read_record(record_path)
    if record is None or record.get("stamps") != _stamps(python, record.get("folders")):
        record = _ask(python, where, cancel or Cancel())
        write_record(record_path, record)
    version = str(record["python"])
    packages = {str(name): str(number) for name, number in record["packages"].items()}
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        raise UsageProblem(
            f"{where}: {python} is Python {version}; {OLDEST[0]}.{OLDEST[1]} is the oldest supported. "
            "What to do: give a virtualenv of a newer one."
        )
    return Environment(
        python=python,
        root=None,
        hash=digest(LAYOUT, str(python), json.dumps(record, sort_keys=True)),
        python_version=version,
        prefect_version=packages.get("prefect"),
        packages=packages,
    )


def _ask(python: Path, where: str, cancel: Cancel) -> dict[str, Any]:
    # In the interpreter's folder: with -c the current folder is importable, and a project may hold a json.py.
    finished = (
        run(
            [str(python), "-c", _PROBE],
            variables=clean_variables(),
            folder=python.parent,
            cancel=cancel,
            limit=_LIMIT_SECONDS,
        )
        if os.access(python, os.X_OK)
        else None
    )
    line = ""
    if finished is not None and finished.status == 0:
        line = next((line for line in finished.output.splitlines() if line.startswith(_MARK)), "")
    if not line:
        said = (
            "it is not executable" if finished is None else finished.last_lines(10) or f"exit status {finished.status}"
        )
        raise UsageProblem(
            f"{where}: {python} does not run: {said}\n"
            f"What to do: give the path of a Python that runs; to try it by hand: {python} -V"
        )
    data = json.loads(line[len(_MARK) :])
    folders = [str(folder) for folder in data["folders"]]
    return {
        "python": str(data["python"]),
        "folders": folders,
        "stamps": _stamps(python, folders),
        "packages": packages_of([Path(folder) for folder in folders]),
    }


def _stamps(python: Path, folders: object) -> list[list[int] | None]:
    """Stamps of all that changes with Python or its packages: installing anything touches its folder."""
    paths = [python, python.parent.parent / "pyvenv.cfg"]
    if isinstance(folders, list):
        paths += [Path(str(folder)) for folder in folders]
    return [stamp(path) for path in paths]
