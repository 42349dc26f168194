"""Flows as their workers describe them, the files they may be in, and how users and this package name them.

A selector is how a flow is named in the
configuration: `flows/orders.py::flow`, `orders.py::build()` or `orders.py`.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from equivalence.config import SideName
from equivalence.tables import nearest, quoted

# Folded variables that are a flow's by habit, and tell nothing of which flow it is.
HABITUAL = frozenset(
    (
        "flow",
        "flows",
        "f",
        "main",
        "run",
        "build",
        "builder",
        "buildflow",
        "createflow",
        "getflow",
        "makeflow",
    )
)


@dataclass(frozen=True, slots=True)
class FlowInfo:
    """One flow as its worker describes it.

    `file` is below the side's flows folder, `path` below the root, both with slashes; `variable` is the
    attribute of the module, for a builder the function.
    """

    side: SideName
    file: str
    path: str
    variable: str | None
    name: str
    kind: Literal["flow", "builder"] = "flow"
    line: int | None = None

    @property
    def selector(self) -> str:
        """How the flow is written in the configuration and in reports: `flows_v1/orders.py::flow`."""
        return f"{self.path}::{self.variable or self.name}{'()' if self.kind == 'builder' else ''}"


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A file that did not load; `message` holds the traceback of the user's code."""

    side: SideName
    file: str
    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Selector:
    """`orders.py::build()`: `file` with slashes, `what` the variable or name, `call` for a builder."""

    file: str
    what: str | None
    call: bool


def flow_files(folder: Path) -> list[Path]:
    """The files below `folder` that may hold flows, sorted: no tests, package files, virtualenvs."""
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and name != "__pycache__" and not Path(place, name, "pyvenv.cfg").exists()
        ]
        found += [Path(place, name) for name in files if _holds_flows(name)]
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def _holds_flows(name: str) -> bool:
    apart = name in ("__init__.py", "conftest.py") or name.startswith((".", "test_"))
    return name.endswith(".py") and not apart


def fold(text: str) -> str:
    """A name without case, spaces, `-` and `_`; one that is nothing else stays as it is."""
    return re.sub(r"[\s_-]+", "", unicodedata.normalize("NFKC", text)).casefold() or text


def parse_selector(text: str) -> Selector:
    """The parts of a configured `v1` or `v2`."""
    file, _, what = text.partition("::")
    return Selector(os.path.normpath(file).replace("\\", "/"), what.removesuffix("()") or None, what.endswith("()"))


def pair_names(flows: Iterable[FlowInfo]) -> dict[FlowInfo, str]:
    """The name of the pair that each flow of one side stands for: no two are the same.

    The file below the flows folder without suffix; where it holds several flows, `::` and the flow's name;
    where two have that, the variable; and where there is none, the name with a number.
    """
    names: dict[FlowInfo, str] = {}
    for file, group in by_file(flows).items():
        stem = str(PurePosixPath(file).with_suffix(""))
        held = Counter(flow.name for flow in group)
        taken: set[str] = set()
        for flow in group:
            label = flow.name if held[flow.name] == 1 else flow.variable or flow.name
            free = (f"{label}{f'#{number}' if number > 1 else ''}" for number in range(1, len(group) + 2))
            label = next(one for one in free if one not in taken)
            taken.add(label)
            names[flow] = stem if len(group) == 1 else f"{stem}::{label}"
    return names


def labels(flow: FlowInfo) -> set[str]:
    """The folded names that a flow goes by within its file."""
    return {fold(flow.name), *([fold(flow.variable)] if flow.variable else [])}


def telling_labels(flow: FlowInfo) -> set[str]:
    """The folded names that a flow goes by in any file."""
    return {fold(flow.name), *({fold(flow.variable)} - HABITUAL if flow.variable else ())}


def place(flow: FlowInfo) -> tuple[str, int, str, str, str, str]:
    """Where a flow stands, to sort by."""
    return (flow.file, flow.line or 0, flow.name, flow.variable or "", flow.kind, flow.path)


def by_file(flows: Iterable[FlowInfo]) -> dict[str, list[FlowInfo]]:
    """Flows by file, both sorted."""
    files: dict[str, list[FlowInfo]] = defaultdict(list)
    for flow in sorted(set(flows), key=place):
        files[flow.file].append(flow)
    return files


def stem(file: str) -> str:
    """A file below the flows folder without suffix."""
    return str(PurePosixPath(file).with_suffix(""))


def telling_stem(file: str) -> str | None:
    """The folded name of a file, None where it says nothing."""
    stem = fold(PurePosixPath(file).stem)
    return None if stem in HABITUAL else stem


def select(
    text: str, side: SideName, flows: Sequence[FlowInfo], failed: Sequence[FileProblem]
) -> FlowInfo | FileProblem | str:
    """The flow that a selector means, or the file that did not load, or what is wrong with the selector."""
    selector = parse_selector(text)
    # The path below the root is the one that is shown everywhere: it wins over that below the flows folder.
    for attribute in ("path", "file"):
        here = [flow for flow in flows if getattr(flow, attribute) == selector.file]
        problem = next((one for one in failed if getattr(one, attribute) == selector.file), None)
        if here or problem:
            break
    kinds = [flow for flow in here if flow.kind == "builder" or not selector.call]
    # A variable is unique in its module, a flow's name need not be.
    matches = kinds if selector.what is None else [flow for flow in kinds if flow.variable == selector.what]
    matches = matches or [flow for flow in kinds if flow.name == selector.what and not selector.call]
    if len(matches) == 1:
        return matches[0]
    if matches:
        return f"{quoted(text)} names several {side} flows: {some(flow.selector for flow in matches)}; name one"
    if problem:
        return problem
    known = {written: flow.selector for flow in here or flows for written in _writings(flow)}
    like = nearest(text, known)
    found = some(flow.selector for flow in here or flows)
    return f"{quoted(text)} names no {side} flow{likely(like and known[like])} Found: {found}"


def _writings(flow: FlowInfo) -> set[str]:
    return {f"{path}::{what}" for path in (flow.path, flow.file) for what in (flow.variable or flow.name, flow.name)}


def likely(name: str | None) -> str:
    """The end of a sentence on a name that is not there."""
    return f"; did you mean {quoted(name)}?" if name else "."


def some(names: Iterable[str]) -> str:
    """At most eight names, and how many more there are."""
    known = sorted(names)
    more = f" and {len(known) - 8} more" if len(known) > 8 else ""
    return (", ".join(known[:8]) or "none") + more
