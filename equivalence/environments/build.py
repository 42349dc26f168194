"""Virtualenvs made by uv: one folder per content hash, built once, ready when its record was written last.

Below `<cache>/environments/<side>-<hash>/` are `venv-<random>/` and `ready.json`, which names that folder. A
build that was killed leaves a folder nobody names; the next build starts another and removes it, and an
installer that outlived its session writes into a folder that is no longer of use to anyone.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from equivalence.environments.cache import (
    LAYOUT,
    Progress,
    cache_root,
    digest,
    locked,
    read_record,
    stamp,
    write_record,
)
from equivalence.environments.interpreters import PREFERENCE, Interpreter, find_interpreter, python_in
from equivalence.environments.process import Cancel, Finished, clean_variables, run
from equivalence.environments.records import PREFECT_OF, Environment, SideRequest
from equivalence.errors import UsageProblem

PINNED: Mapping[str, str] = {"v1": "prefect-1.4.1.txt", "v2": "prefect-2.20.26.txt"}

_UV_LOCK = threading.Lock()
_INCLUDE = re.compile(r"^\s*(?:-r|-c|--requirements?|--constraints?)[\s=]+(.+?)\s*(?:\s#.*)?$", re.MULTILINE)
_DISTRIBUTION = re.compile(r"^(?P<name>.+?)-(?P<version>[^-]+)(?:-[^-]+)*\.(?:dist-info|egg-info)$")


def pinned_requirements(name: str) -> Path:
    """The requirements file that ships with this package for a side."""
    return Path(__file__).resolve().parent.parent / "requirements" / PINNED[name]


def packages_of(site_packages: Sequence[Path]) -> dict[str, str]:
    """Names and versions of what folders hold; from outside, as Python 3.7 has no importlib.metadata."""
    packages: dict[str, str] = {}
    for folder in site_packages:
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            found = _DISTRIBUTION.match(name)
            if found is not None:
                packages.setdefault(re.sub(r"[-_.]+", "-", found["name"]).lower(), found["version"])
    return dict(sorted(packages.items()))


def build_environment(side: SideRequest, progress: Progress, cancel: Cancel | None = None) -> Environment:
    """The virtualenv of a request, made now if it is not there; without a look at which Prefect it holds.

    A ready one is found by the request alone, without starting any process: with `python` absent or a
    version, the interpreter chosen the first time stays, for as long as its file is the same.
    """
    cancel = cancel or Cancel()
    text = _requirements_text(side)
    root = cache_root()
    request = digest(LAYOUT, side.name, side.python or "", os.getcwd(), side.exclude_newer or "", text)
    index = root / "index" / f"{request}.json"
    known = read_record(index)
    if known is not None and stamp(Path(str(known.get("interpreter")))) == known.get("stamp") is not None:
        ready = _ready(root / "environments" / str(known.get("folder")))
        if ready is not None:
            return ready
    interpreter = find_interpreter(side.python, prefect=PREFECT_OF[side.name])
    hash_ = digest(LAYOUT, text, side.exclude_newer or "", *interpreter.identity)
    folder = root / "environments" / f"{side.name}-{hash_[:12]}"
    ready = _ready(folder)
    if ready is None:
        with locked(folder, side.name, progress, cancel):
            ready = _ready(folder) or _build(side, interpreter, folder, hash_, progress, cancel)
    write_record(
        index,
        {"folder": folder.name, "interpreter": str(interpreter.path), "stamp": stamp(interpreter.path)},
    )
    return ready


def folder_of(environment: Environment) -> Path:
    """The folder in the cache that belongs to a built environment."""
    assert environment.root is not None
    return environment.root.parent


def _ready(folder: Path) -> Environment | None:
    """The environment that a folder's record promises, if it still holds what was installed."""
    record = read_record(folder / "ready.json")
    if record is None:
        return None
    try:
        root = folder / record["venv"]
        packages = dict(record["packages"])
        python = python_in(root)
        # Whoever installs or removes something by hand gets a fresh build, not a verdict on other packages.
        if not python.exists() or packages_of([root / record["site"]]) != packages:
            return None
        return Environment(
            python=python,
            root=root,
            hash=record["hash"],
            python_version=record["python"],
            prefect_version=packages.get("prefect"),
            packages=packages,
        )
    except (KeyError, TypeError, ValueError):
        return None


def _build(
    side: SideRequest, interpreter: Interpreter, folder: Path, hash_: str, progress: Progress, cancel: Cancel
) -> Environment:
    """Make the virtualenv, install, and write the record last; the caller holds the lock."""
    started = time.monotonic()
    uv = _uv()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ready.json").unlink(missing_ok=True)
    for leftover in folder.glob("venv-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    root = folder / f"venv-{os.urandom(4).hex()}"
    progress(f"{side.name}: building environment (Python {interpreter.version}, {_told(side)}) …")

    def alive(seconds: float, line: str) -> None:
        progress(f"{side.name}: still building ({seconds:.0f} s)" + (f": {line}" if line else " …"))

    variables = clean_variables({"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"})
    make = [uv, "venv", "--no-project", "--python", str(interpreter.path), str(root)]
    install = [
        uv,
        "pip",
        "install",
        "--python",
        str(python_in(root)),
        "--compile-bytecode",
        *_install_arguments(side),
    ]
    try:
        for command in (make, install):
            finished = run(command, variables=variables, folder=Path.cwd(), cancel=cancel, alive=alive)
            if finished.status != 0:
                raise UsageProblem(_not_built(side, interpreter, finished))
        site = _site_packages(root)
        packages = packages_of([site])
        write_record(
            folder / "ready.json",
            {
                "venv": root.name,
                "site": site.relative_to(root).as_posix(),
                "hash": hash_,
                "python": interpreter.version,
                "interpreter": str(interpreter.path),
                "packages": packages,
            },
        )
    except BaseException:
        shutil.rmtree(root, ignore_errors=True)
        raise
    environment = _ready(folder)
    if environment is None:
        raise UsageProblem(
            f"{side.name}: uv said that it built {root}, but it does not hold what was installed. "
            f"What to do: remove {folder} and start again."
        )
    seconds, count = time.monotonic() - started, len(environment.packages)
    progress(f"{side.name}: environment ready in {seconds:.1f} s ({count} package{'s' * (count != 1)})")
    return environment


def _requirements_text(side: SideRequest) -> str:
    """All that says what is to be installed, files that a file includes as well."""
    if isinstance(side.requirements, tuple):
        return "\n".join(side.requirements)
    path = side.requirements or pinned_requirements(side.name)
    texts: dict[Path, str] = {}
    _read_requirements(side, path.absolute(), texts)
    # Paths in a requirements file are relative to it, so the place of a user's file counts; that of ours does
    # not.
    place = "" if side.requirements is None else str(path.absolute().parent)
    return "\0".join([place, *texts.values()])


def _read_requirements(side: SideRequest, path: Path, texts: dict[Path, str]) -> None:
    if path in texts:
        return
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageProblem(
            f"requirements under {side.table}: {path} cannot be read: {problem}. "
            "What to do: give the path of a requirements file or a list, or leave it out for the pinned set."
        ) from problem
    texts[path] = text
    for included in _INCLUDE.findall(text):
        if "://" not in included:
            _read_requirements(side, path.parent / included, texts)


def _install_arguments(side: SideRequest) -> list[str]:
    arguments: list[str] = []
    # The pinned sets are exact already: a date could only forbid what they name.
    if side.exclude_newer is not None and side.requirements is not None:
        arguments += ["--exclude-newer", side.exclude_newer]
    if isinstance(side.requirements, tuple):
        return [*arguments, "--", *side.requirements]
    path = (side.requirements or pinned_requirements(side.name)).absolute()
    if "--hash=" in path.read_text(encoding="utf-8-sig"):
        arguments.append("--require-hashes")
    return [*arguments, "-r", str(path)]


def _told(side: SideRequest) -> str:
    if isinstance(side.requirements, tuple):
        return ", ".join(side.requirements[:3]) + (", …" if len(side.requirements) > 3 else "")
    return (
        side.requirements.name if side.requirements is not None else f"pinned {PINNED[side.name].removesuffix('.txt')}"
    )


def _not_built(side: SideRequest, interpreter: Interpreter, finished: Finished) -> str:
    trial = Path(".equivalence") / f"try-{side.name}"
    make = ["uv", "venv", "--no-project", "--python", str(interpreter.path), str(trial)]
    install = ["uv", "pip", "install", "--python", str(python_in(trial)), *_install_arguments(side)]
    known = ", ".join(PREFERENCE[PREFECT_OF[side.name]])
    return (
        f"{side.name}: the environment could not be built with Python {interpreter.version} "
        + f"({interpreter.path}). uv said:\n"
        + "\n".join("  " + line for line in finished.last_lines().splitlines())
        + f"\nTo try it by hand:\n  {shlex.join(make)}\n  {shlex.join(install)}\n"
        + f"What to do: change requirements, exclude-newer or python under {side.table} "
        + f"(Pythons known to work with the pinned Prefect: {known})."
    )


def _site_packages(root: Path) -> Path:
    found = sorted(root.glob("lib/*/site-packages")) or [root / "Lib" / "site-packages"]
    return found[0]


def _uv() -> str:
    try:
        from uv import find_uv_bin

        # Both sides get here at once, and the first call of sysconfig, which this uses, is not safe in two
        # threads.
        with _UV_LOCK:
            return os.fspath(find_uv_bin())
    except (ImportError, FileNotFoundError):
        path = shutil.which("uv")
    if path is None:
        raise UsageProblem(
            "uv, which makes the environments, was found neither beside this Python nor on PATH. "
            "What to do: pip install uv."
        )
    return path
