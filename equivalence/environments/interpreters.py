"""Finding a Python by version, by path, or the best for a Prefect; else all that was looked at."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from equivalence.environments.process import clean_variables
from equivalence.errors import UsageProblem

#: What is tried, in this order, when no version is asked for. What decides is pendulum 2.1.2, which both
#: sets pin (the second below Python 3.12): its wheels end with 3.9, and on 3.10 and 3.11 it is built from
#: source. That works without a compiler, but a build backend has to be fetched, and the set for Prefect 1
#: cannot be built from 3.12 on.
#: Prefect 1: all from wheels, newest first since newer is faster: 3.9, 3.8, 3.7; then 3.11 and 3.10.
#: Prefect 2: the same Python as Prefect 1 where there is one, so that what differs between two Pythons (the
#: text of an exception, the sum of floats from 3.12 on) is not taken for a difference between the flows.
#: 3.13 last: Prefect 2 does not name it as supported, and it prints ignored exceptions of gzip at exit there.
PREFERENCE: Mapping[str, tuple[str, ...]] = {
    "1": ("3.9", "3.8", "3.7", "3.11", "3.10"),
    "2": ("3.9", "3.11", "3.10", "3.12", "3.13"),
}

#: The oldest Python that the part of this package that runs inside can be run by.
OLDEST = (3, 7)

_VERSION = re.compile(r"(?:python)?(\d+(?:\.\d+){1,2}(?:(?:a|b|rc)\d+)?)", re.IGNORECASE)
_HINT = re.compile(r"(?:^|[^\d.])([23]\.\d+(?:\.\d+)?)(?![\d])")
_PROBE_SECONDS = 10

# Runs on any Python since 2.7. Without site and its .pth files: quick, and nobody's packages are imported.
_PROBE = """
import sys, json, platform, sysconfig
print(json.dumps({
    "version": platform.python_version().rstrip("+"),
    "implementation": platform.python_implementation().lower(),
    "platform": sysconfig.get_platform() + " " + str(sysconfig.get_config_var("SOABI")),
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
}))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that was started and said what it is."""

    path: Path
    version: str
    implementation: str
    platform: str

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes two interpreters different for an environment built on them."""
        return (self.version, self.implementation, self.platform, os.path.realpath(self.path))

    @property
    def number(self) -> tuple[int, int]:
        """Major and minor."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(re.match(r"\d+", minor).group())  # type: ignore[union-attr]


@dataclass(slots=True)
class _Search:
    """What one search looked at, for the message at its end."""

    places: dict[str, int] = field(default_factory=dict)
    candidates: list[Path] = field(default_factory=list)
    probed: dict[Path, Interpreter | str] = field(default_factory=dict)

    def probe(self, path: Path) -> Interpreter | str:
        if path not in self.probed:
            self.probed[path] = probe(path)
        return self.probed[path]


def find_interpreter(
    spec: str | None, *, prefect: Literal["1", "2"], supported: Sequence[str] | None = None
) -> Interpreter:
    """The Python that `spec` means: a version ("3.10", "3.10.13"), a path, or None for the best.

    The best is the first of `supported` that is installed; the default is `PREFERENCE`: versions with
    wheels for every pin first, then by speed, as told there. Of several with the same version the running
    Python wins, then the order of PATH (a folder of shims stands for all versions of its manager, newest
    first), then the managers that PATH does not name.
    """
    supported = tuple(supported or PREFERENCE[prefect])
    if spec is not None and not _VERSION.fullmatch(spec.strip()):
        return _from_path(spec, prefect)
    wanted = [_VERSION.fullmatch(spec.strip()).group(1)] if spec is not None else supported  # type: ignore[union-attr]
    if spec is not None and tuple(map(int, re.findall(r"\d+", wanted[0])[:2])) < OLDEST:
        raise UsageProblem(
            f"python = {spec!r} under [tool.equivalence.v{prefect}]: "
            f"Python {OLDEST[0]}.{OLDEST[1]} is the oldest supported. "
            f"What to do: write {_proposal(prefect, supported)}."
        )
    search = _Search()
    search.candidates = list(_candidates(search))
    for version in wanted:
        for path in search.candidates:
            hint = _hint(path)
            if hint is not None and not _compatible(hint, version):
                continue
            found = search.probe(path)
            if isinstance(found, Interpreter) and _matches(found, version):
                return found
    raise UsageProblem(_not_found(spec, wanted, prefect, supported, search))


def probe(path: Path) -> Interpreter | str:
    """Start an interpreter and ask what it is; a text that says why when it is of no use."""
    try:
        answer = subprocess.run(
            [str(path), "-E", "-s", "-S", "-c", _PROBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            env=clean_variables(),
            cwd=path.parent,
            check=False,
        )
    except (OSError, ValueError) as problem:
        return f"does not start: {problem}"
    except subprocess.TimeoutExpired:
        return f"gave no answer within {_PROBE_SECONDS} s"
    try:
        data = json.loads(answer.stdout.decode("utf-8", "replace").strip().splitlines()[-1])
        implementation = str(data["implementation"]) + ("-freethreaded" if data["free_threaded"] else "")
        return Interpreter(path, str(data["version"]), implementation, str(data["platform"]))
    except (ValueError, KeyError, IndexError, TypeError):
        words = (answer.stderr or answer.stdout).decode("utf-8", "replace").strip().splitlines()
        return f"exit status {answer.returncode}" + (f": {words[0].strip()}" if words else "")


def python_in(folder: Path) -> Path:
    """The interpreter of a virtualenv or of an installation."""
    if sys.platform == "win32":
        scripts = folder / "Scripts" / "python.exe"
        return scripts if scripts.exists() else folder / "python.exe"
    return folder / "bin" / "python"


def _from_path(spec: str, prefect: str) -> Interpreter:
    path = Path(os.path.expandvars(spec)).expanduser().absolute()
    where = f"python = {spec!r} under [tool.equivalence.v{prefect}]"
    if path.is_dir():
        path = python_in(path)
    if not path.exists():
        raise UsageProblem(
            f"{where}: there is no {path}. "
            'What to do: give the path of an interpreter, or a version such as python = "3.10".'
        )
    found = probe(path)
    if isinstance(found, str):
        advice = "give the path of an interpreter that runs, or a version"
        if path.parent.name == "shims":
            advice = (
                f"{path} is a shim that runs only while its version is active; "
                'write the version instead (python = "3.10"), inactive ones are found'
            )
        raise UsageProblem(f"{where}: {path} {found}. What to do: {advice}.")
    if found.number < OLDEST:
        raise UsageProblem(
            f"{where}: {path} is Python {found.version}; {OLDEST[0]}.{OLDEST[1]} is the oldest supported. "
            "What to do: give a newer one."
        )
    return found


def _candidates(search: _Search) -> Iterator[Path]:
    """Every interpreter file of every place, each real file once, none of them started yet."""
    seen: set[object] = set()
    for place, paths in _places():
        count = 0
        for path in paths:
            # A shim runs only when its version is active; what it leads to is found in its manager's folder.
            if path.parent.name == "shims":
                continue
            real = Path(os.path.realpath(path))
            try:
                status = real.stat()
            except OSError:  # a link that leads nowhere
                continue
            # By file and not by name: python3.7m is python3.7 once more.
            same = (status.st_dev, status.st_ino) if status.st_ino else real
            if same in seen:
                continue
            seen.add(same)
            count += 1
            yield real
        search.places[place] = search.places.get(place, 0) + count


def _places() -> Iterator[tuple[str, list[Path]]]:
    """Places in order of preference, with the interpreter files in them."""
    from findpython.providers import ALL_PROVIDERS
    from findpython.providers.path import PathProvider
    from findpython.providers.pyenv import PyenvProvider

    entries = [Path(entry) for entry in os.environ.get("PATH", "").split(os.pathsep) if entry]
    base = getattr(sys, "_base_executable", None) or sys.executable
    yield f"the Python that runs pytest: {base}", [Path(base)]
    for entry in dict.fromkeys(entries):
        yield f"PATH: {entry}", _listed(PathProvider([entry]))
        if entry.name == "shims" and (entry.parent / "versions").is_dir():
            yield f"pyenv: {entry.parent / 'versions'}", _newest_first(_listed(PyenvProvider(entry.parent)))
    for root in _pyenv_roots():
        yield f"pyenv: {root / 'versions'}", _newest_first(_listed(PyenvProvider(root)))
    for name, kind in ALL_PROVIDERS.items():
        if kind in (PathProvider, PyenvProvider):
            continue
        provider = kind.create()
        if provider is not None:
            folder = getattr(provider, "root", None)
            yield name + (f": {folder}" if folder else ""), _newest_first(_listed(provider))
    mise = Path(os.environ.get("MISE_DATA_DIR") or "~/.local/share/mise").expanduser() / "installs" / "python"
    if mise.is_dir():
        yield f"mise: {mise}", _newest_first([python_in(folder) for folder in mise.iterdir()])


def _pyenv_roots() -> list[Path]:
    """PYENV_ROOT, and the usual folder for those who run pytest without their shell's set-up."""
    roots = [Path(os.path.expandvars(os.environ["PYENV_ROOT"]))] if os.environ.get("PYENV_ROOT") else []
    roots.append(Path("~/.pyenv"))
    distinct: list[Path] = []
    for root in roots:
        with suppress(RuntimeError):  # no home folder
            root = root.expanduser()
        if root not in distinct:
            distinct.append(root)
    return distinct


def _listed(provider: object) -> list[Path]:
    try:
        return [found.executable for found in provider.find_pythons()]  # type: ignore[attr-defined]
    except OSError:  # a folder that may not be read
        return []


def _newest_first(paths: Sequence[Path]) -> list[Path]:
    def key(path: Path) -> tuple[int, ...]:
        hint = _hint(Path(os.path.realpath(path)))
        return tuple(int(part) for part in hint.split(".")) if hint else ()

    return sorted((path for path in paths if path.exists()), key=key, reverse=True)


def _hint(path: Path) -> str | None:
    """The version that a file's name tells, to the patch if a folder tells that; saves starting it to ask."""
    named = _HINT.search(path.name)
    if named is None:
        return None
    own = named.group(1)
    folders = [hint for part in reversed(path.parts[:-1]) for hint in _HINT.findall(part)]
    return next((hint for hint in folders if hint.startswith(own + ".")), own)


def _compatible(hint: str, version: str) -> bool:
    ours, theirs = re.findall(r"\d+", version), hint.split(".")
    common = min(len(ours), len(theirs))
    return ours[:common] == theirs[:common]


def _matches(found: Interpreter, version: str) -> bool:
    if found.implementation != "cpython":
        return False
    if found.version == version:
        return True
    return re.fullmatch(re.escape(version) + r"(\.\d+)*", found.version) is not None


def _proposal(prefect: str, supported: Sequence[str]) -> str:
    others = ", ".join(supported)
    return f'python = "{supported[0]}" under [tool.equivalence.v{prefect}] (for Prefect {prefect}: {others})'


def _not_found(spec: str | None, wanted: Sequence[str], prefect: str, supported: Sequence[str], search: _Search) -> str:
    with ThreadPoolExecutor(4) as pool:  # only now, when all are wanted for the message
        answers = list(pool.map(search.probe, search.candidates))
    asked = f"Python {spec}" if spec is not None else f"any Python that Prefect {prefect} runs on ({', '.join(wanted)})"
    lines = [f"{asked} was not found, which [tool.equivalence.v{prefect}] asks for.", "Looked at:"]
    lines += [
        f"  {place} ({count or 'no'} interpreter{'' if count == 1 else 's'})" for place, count in search.places.items()
    ]
    lines.append("Seen:")
    seen = [
        f"  {answer.implementation} {answer.version}  {path}"
        if isinstance(answer, Interpreter)
        else f"  {path} {answer}"
        for path, answer in zip(search.candidates, answers, strict=True)
    ]
    lines += sorted(seen) or ["  nothing"]
    minors = {
        ".".join(answer.version.split(".")[:2])
        for answer in answers
        if isinstance(answer, Interpreter) and answer.implementation == "cpython"
    }
    usable = [version for version in supported if version in minors]
    lines.append(f"What to do: write {_proposal(prefect, usable or supported)}, or the path of an interpreter,")
    lines.append(f"or install one, for instance: uv python install {wanted[0]}")
    return "\n".join(lines)
