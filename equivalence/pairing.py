"""Flows described on each side → pairs, flows without a counterpart, and what only the user can settle.

The steps, in order. Each looks only at what those before it left, and takes only matches that are unique in
both directions; what it cannot decide it leaves.

| step | a v1 and a v2 flow match where                                      | outcome                  |
| ---- | ------------------------------------------------------------------- | ------------------------ |
| a    | a pair is configured                                                | pair, named by its table |
| b    | same relative path, same flow name                                  | pair                     |
|      | same relative path, same flow name or variable                      | pair                     |
| -    | the counterpart of a flow's file did not load                       | broken: verdict `error`  |
| c    | same flow name, in any file                                         | pair                     |
|      | same flow name or variable, in any file                             | pair                     |
| d    | same file pair, same flow name or variable                          | pair                     |
|      | same file pair, each the only flow of its file                      | pair                     |
| end  | a step found several, or the file pair has flows but no pair in it  | ambiguous, how to settle |
| end  | nothing of that                                                     | unpaired, the nearest    |

Names are compared folded: case, spaces, `-` and `_` do not count. A variable that says nothing (`flow`,
`main`, `f`, …) counts within one file only: it is the variable of every second flow. A *file pair* is two
files of the same relative path, else of the same folded path, else of the same folded name, where no other
has that.

Every flow lands in exactly one of pairs, broken, ambiguous, unpaired; configured pairs alone may share one.
"""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from equivalence.config import PairSettings, Settings, SideName, listed, nearest, quoted, table_name
from equivalence.errors import UsageProblem

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
class Pair:
    """A flow on each side, and the settings of the pair with the defaults filled in."""

    name: str
    v1: FlowInfo
    v2: FlowInfo
    settings: PairSettings


@dataclass(frozen=True, slots=True)
class Broken:
    """A pair that cannot run, as a file of it did not load: `flows` are those that are known of it."""

    name: str
    problems: tuple[FileProblem, ...]
    flows: tuple[FlowInfo, ...]
    settings: PairSettings

    @property
    def message(self) -> str:
        """Which files did not load, each with its traceback."""
        return "\n".join(f"{one.path} did not load:\n{one.message}" for one in self.problems)


@dataclass(frozen=True, slots=True)
class Unpaired:
    """A flow without a counterpart; `nearest` is the flow of the other side that is most like it."""

    side: SideName
    flow: FlowInfo
    nearest: FlowInfo | None


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """Flows that could be pairs in several ways, and the lines of configuration that settle it."""

    v1: tuple[FlowInfo, ...]
    v2: tuple[FlowInfo, ...]
    configuration: str


@dataclass(frozen=True, slots=True)
class Pairing:
    """Everything found; `problems` are the files that did not load and belong to no broken pair."""

    pairs: tuple[Pair, ...]
    broken: tuple[Broken, ...]
    unpaired: tuple[Unpaired, ...]
    ambiguous: tuple[Ambiguity, ...]
    problems: tuple[FileProblem, ...]


@dataclass(frozen=True, slots=True)
class Selector:
    """`orders.py::build()`: `file` with slashes, `what` the variable or name, `call` for a builder."""

    file: str
    what: str | None
    call: bool


Edge = tuple[FlowInfo, FlowInfo]
Labels = Callable[[FlowInfo], Iterable[Hashable]]


def flow_files(folder: Path) -> list[Path]:
    """The files below `folder` that may hold flows, sorted: no tests, package files, virtualenvs."""
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and name != "__pycache__"
            and not Path(place, name, "pyvenv.cfg").exists()
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
    return Selector(
        os.path.normpath(file).replace("\\", "/"), what.removesuffix("()") or None, what.endswith("()")
    )


def pair_names(flows: Iterable[FlowInfo]) -> dict[FlowInfo, str]:
    """The name of the pair that each flow of one side stands for: no two are the same.

    The file below the flows folder without suffix; where it holds several flows, `::` and the flow's name;
    where two have that, the variable; and where there is none, the name with a number.
    """
    names: dict[FlowInfo, str] = {}
    for file, group in _by_file(flows).items():
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


def pair_flows(
    settings: Settings, v1: Sequence[FlowInfo], v2: Sequence[FlowInfo], problems: Sequence[FileProblem] = ()
) -> Pairing:
    """The pairs of these flows; UsageProblem where the configuration names what is not there."""
    matching = _Matching(settings, v1, v2, problems)
    matching.take_configured()
    matching.take(lambda flow: {(flow.file, fold(flow.name))})
    matching.take(lambda flow: {(flow.file, label) for label in _labels(flow)})
    matching.take_broken()
    matching.take(lambda flow: {fold(flow.name)})
    matching.take(_telling_labels)
    matching.take(lambda flow: {(matching.file_pair(flow), label) for label in _labels(flow)})
    matching.take(matching.only_flow)
    return matching.pairing()


def _labels(flow: FlowInfo) -> set[str]:
    return {fold(flow.name), *([fold(flow.variable)] if flow.variable else [])}


def _telling_labels(flow: FlowInfo) -> set[str]:
    return {fold(flow.name), *({fold(flow.variable)} - HABITUAL if flow.variable else ())}


def _place(flow: FlowInfo) -> tuple[str, int, str, str, str, str]:
    return (flow.file, flow.line or 0, flow.name, flow.variable or "", flow.kind, flow.path)


def _by_file(flows: Iterable[FlowInfo]) -> dict[str, list[FlowInfo]]:
    files: dict[str, list[FlowInfo]] = defaultdict(list)
    for flow in sorted(set(flows), key=_place):
        files[flow.file].append(flow)
    return files


class _Matching:
    """The state of one call of `pair_flows`: what is left on each side, and what was taken."""

    def __init__(
        self,
        settings: Settings,
        v1: Sequence[FlowInfo],
        v2: Sequence[FlowInfo],
        problems: Sequence[FileProblem],
    ) -> None:
        self.settings = settings
        # Sorted, so that nothing depends on the order in which the workers described them.
        self.flows: Mapping[SideName, list[FlowInfo]] = {
            "v1": sorted(set(v1), key=_place),
            "v2": sorted(set(v2), key=_place),
        }
        self.problems = sorted(set(problems), key=lambda one: (one.file, one.side, one.message))
        self.names = pair_names(v1) | pair_names(v2)
        self.left: dict[SideName, list[FlowInfo]] = {side: list(flows) for side, flows in self.flows.items()}
        self.pairs: list[Pair] = []
        self.broken: list[Broken] = []
        self.undecided: set[Edge] = set()
        self.mistakes: list[str] = []
        self.file_pairs = _file_pairs(self.files("v1"), self.files("v2"))

    def files(self, side: SideName) -> set[str]:
        return {flow.file for flow in self.flows[side]} | {one.file for one in self.failed(side)}

    def failed(self, side: SideName) -> list[FileProblem]:
        return [one for one in self.problems if one.side == side]

    # Taking matches

    def take(self, labels: Labels) -> None:
        """Pair what has a label in common with one flow only, which has one with it only; note the rest."""
        edges = self.edges(labels)
        degree = Counter(flow for edge in edges for flow in edge)
        for one, other in edges:
            if degree[one] == degree[other] == 1:
                self.add(self.names[one], one, other)
            else:
                self.undecided.add((one, other))

    def edges(self, labels: Labels) -> list[Edge]:
        having: dict[Hashable, list[FlowInfo]] = defaultdict(list)
        for flow in self.left["v2"]:
            for label in labels(flow):
                having[label].append(flow)
        found = {
            (one, other)
            for one in self.left["v1"]
            for label in labels(one)
            for other in having.get(label, ())
        }
        return sorted(found, key=lambda edge: (_place(edge[0]), _place(edge[1])))

    def add(self, name: str, one: FlowInfo, other: FlowInfo) -> None:
        self.pairs.append(Pair(name, one, other, self.settings.for_pair(name)))
        self.spend((one, other))

    def spend(self, flows: Iterable[FlowInfo]) -> None:
        spent = set(flows)
        self.left = {side: [flow for flow in left if flow not in spent] for side, left in self.left.items()}

    def file_pair(self, flow: FlowInfo) -> Hashable:
        """What two files of one file pair share; a file without a counterpart shares it with nothing."""
        v1_file = self.file_pairs.get(flow.file) if flow.side == "v2" else flow.file
        return v1_file if v1_file is not None else (flow.side, flow.file)

    def only_flow(self, flow: FlowInfo) -> set[Hashable]:
        held = [one for one in self.flows[flow.side] if one.file == flow.file]
        return {self.file_pair(flow)} if len(held) == 1 else set()

    # Configured pairs

    def take_configured(self) -> None:
        spent: list[FlowInfo] = []
        for name, table in self.settings.pairs.items():
            if table.v1 is None and table.v2 is None:
                continue
            chosen = [self.chosen("v1", name, table.v1), self.chosen("v2", name, table.v2)]
            flows = [one for one in chosen if isinstance(one, FlowInfo)]
            failed = [one for one in chosen if isinstance(one, FileProblem)]
            if None in chosen:
                continue
            if failed:
                self.broken.append(Broken(name, tuple(failed), tuple(flows), self.settings.for_pair(name)))
            else:
                self.pairs.append(Pair(name, flows[0], flows[1], self.settings.for_pair(name)))
            spent += flows
        self.spend(spent)
        if self.mistakes:
            raise UsageProblem(listed("pyproject.toml", self.mistakes))

    def chosen(self, side: SideName, name: str, selector: str | None) -> FlowInfo | FileProblem | None:
        """The flow that a table means; without a selector the one whose pair would have the table's name."""
        if selector is not None:
            found = _select(selector, side, self.flows[side], self.failed(side))
        else:
            found = next((flow for flow in self.flows[side] if self.names[flow] == name), None) or next(
                (one for one in self.failed(side) if _stem(one.file) == name.split("::")[0]),
                f"is absent, and no {side} flow has the name {quoted(name)}; add `{side}`"
                + _likely(nearest(name, (self.names[flow] for flow in self.flows[side]))),
            )
        if isinstance(found, str):
            self.mistakes.append(f"{table_name('pairs', name)} `{side}`: {found}")
            return None
        return found

    # Files that did not load

    def take_broken(self) -> None:
        """A file that did not load takes the flows of its counterpart along: no other may have them."""
        for v2_file, v1_file in sorted(self.file_pairs.items(), key=lambda item: (item[1], item[0])):
            failed = [one for one in self.failed("v1") if one.file == v1_file]
            failed += [one for one in self.failed("v2") if one.file == v2_file]
            if not failed:
                continue
            one_side = [flow for flow in self.left["v1"] if flow.file == v1_file]
            other_side = [flow for flow in self.left["v2"] if flow.file == v2_file]
            for flow in one_side:
                self.add_broken(self.names[flow], failed, [flow])
            # Which flows a v1 file holds that did not load is not known: one entry, by the name of the file.
            unclaimed = {one.side for one in failed if one not in self.claimed()}
            unknown = (other_side and "v1" in {one.side for one in failed}) or len(unclaimed) == 2
            if unknown and _stem(v1_file) not in self.taken_names():
                self.add_broken(_stem(v1_file), failed, other_side)

    def add_broken(self, name: str, failed: Sequence[FileProblem], flows: Sequence[FlowInfo]) -> None:
        self.broken.append(Broken(name, tuple(failed), tuple(flows), self.settings.for_pair(name)))
        self.spend(flows)

    def claimed(self) -> set[FileProblem]:
        return {problem for one in self.broken for problem in one.problems}

    def taken_names(self) -> set[str]:
        return {one.name for one in self.pairs} | {one.name for one in self.broken}

    # The end

    def pairing(self) -> Pairing:
        ambiguous = self.ambiguities()
        listed_there = {flow for one in ambiguous for flow in (*one.v1, *one.v2)}
        unpaired = [flow for side in _SIDES for flow in self.left[side] if flow not in listed_there]
        self.check_names()
        claimed = self.claimed()
        near = _Nearest(self.flows, self.left)
        return Pairing(
            pairs=tuple(sorted(self.pairs, key=lambda one: (_place(one.v1), one.name))),
            broken=tuple(sorted(self.broken, key=lambda one: one.name)),
            unpaired=tuple(Unpaired(flow.side, flow, near.to(flow)) for flow in unpaired),
            ambiguous=ambiguous,
            problems=tuple(one for one in self.problems if one not in claimed),
        )

    def ambiguities(self) -> tuple[Ambiguity, ...]:
        left = set(self.left["v1"]) | set(self.left["v2"])
        edges = {
            (one, other) for one, other in self.undecided | set(self.same_files()) if {one, other} <= left
        }
        group: dict[FlowInfo, set[Edge]] = {}
        for edge in sorted(edges, key=lambda edge: (_place(edge[0]), _place(edge[1]))):
            merged = {edge}.union(*(group[flow] for flow in edge if flow in group))
            group.update({flow: merged for joined in merged for flow in joined})
        return tuple(
            Ambiguity(
                v1=tuple(sorted({one for one, _ in found}, key=_place)),
                v2=tuple(sorted({other for _, other in found}, key=_place)),
                configuration=self.settling(found),
            )
            for found in {id(found): found for found in group.values()}.values()
        )

    def same_files(self) -> list[Edge]:
        """Flows of a file pair that no name tells apart; where it has a pair, the rest may be helpers."""
        ends = ((self.file_pair(one.v1), self.file_pair(one.v2)) for one in self.pairs)
        shared = {one for one, other in ends if one == other}
        return self.edges(lambda flow: {self.file_pair(flow)} - shared)

    def settling(self, edges: set[Edge]) -> str:
        """A table for each v1 flow, the likeliest counterpart first, the others in a comment."""
        blocks: list[str] = []
        for one in sorted({one for one, _ in edges}, key=_place):
            others = sorted((other for v1, other in edges if v1 == one), key=_place)
            rated = {other: _likeness(one, other) for other in others}
            best, *rest = sorted(rated, key=rated.__getitem__, reverse=True)
            comment = f"  # or {', '.join(quoted(other.selector) for other in rest)}" if rest else ""
            blocks.append(
                f"[tool.equivalence.pairs.{quoted(self.names[one])}]\n"
                f"v1 = {quoted(one.selector)}\nv2 = {quoted(best.selector)}{comment}"
            )
        return "\n".join(blocks)

    def check_names(self) -> None:
        """Every table names something that was found, and no two pairs have one name."""
        known = {self.names[flow] for flow in self.left["v1"]} | self.taken_names()
        stems = {_stem(one.file) for one in self.problems}
        mistakes = [
            f"{table_name('pairs', name)} names no pair{_likely(nearest(name, known))} "
            f"A new one needs `v1` and `v2`. Found: {_some(known)}"
            for name in self.settings.pairs
            if name not in known and name.split("::")[0] not in stems
        ]
        counted = Counter([one.name for one in self.pairs] + [one.name for one in self.broken])
        mistakes += [
            f"{table_name('pairs', name)} has the name of a pair that was found by itself; give it another"
            for name, number in sorted(counted.items())
            if number > 1
        ]
        if mistakes:
            raise UsageProblem(listed("pyproject.toml", mistakes))


_SIDES: tuple[SideName, SideName] = ("v1", "v2")


def _stem(file: str) -> str:
    return str(PurePosixPath(file).with_suffix(""))


def _file_pairs(v1: set[str], v2: set[str]) -> dict[str, str]:
    """v2 file → v1 file: same relative path, else the only ones of that folded path, else of that name."""
    found = {file: file for file in v1 & v2}
    keys: tuple[Callable[[str], str | None], ...] = (lambda file: fold(_stem(file)), _telling_stem)
    for key in keys:
        sides: list[dict[str | None, list[str]]] = []
        for files in (v1 - set(found.values()), v2 - set(found)):
            having: dict[str | None, list[str]] = defaultdict(list)
            for file in files:
                having[key(file)].append(file)
            sides.append(having)
        for folded, ones in sides[0].items():
            others = sides[1].get(folded, [])
            if folded is not None and len(ones) == len(others) == 1:
                found[others[0]] = ones[0]
    return found


def _telling_stem(file: str) -> str | None:
    stem = fold(PurePosixPath(file).stem)
    return None if stem in HABITUAL else stem


def _select(
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
        return (
            f"{quoted(text)} names several {side} flows: {_some(flow.selector for flow in matches)}; name one"
        )
    if problem:
        return problem
    known = {written: flow.selector for flow in here or flows for written in _writings(flow)}
    like = nearest(text, known)
    found = _some(flow.selector for flow in here or flows)
    return f"{quoted(text)} names no {side} flow{_likely(like and known[like])} Found: {found}"


def _writings(flow: FlowInfo) -> set[str]:
    return {
        f"{path}::{what}"
        for path in (flow.path, flow.file)
        for what in (flow.variable or flow.name, flow.name)
    }


def _likely(name: str | None) -> str:
    return f"; did you mean {quoted(name)}?" if name else "."


def _some(names: Iterable[str]) -> str:
    """At most eight names, and how many more there are."""
    known = sorted(names)
    more = f" and {len(known) - 8} more" if len(known) > 8 else ""
    return (", ".join(known[:8]) or "none") + more


def _likeness(one: FlowInfo, other: FlowInfo) -> tuple[float, float]:
    """How like two flows are: by the likest of what they are known by, then by their files."""
    return (
        max(_ratio(left, right) for left in _traits(one) for right in _traits(other)),
        _ratio(fold(_stem(one.file)), fold(_stem(other.file))),
    )


def _ratio(left: str, right: str) -> float:
    return difflib.SequenceMatcher(None, left, right, autojunk=False).ratio()


def _traits(flow: FlowInfo) -> list[str]:
    """What a flow is known by: name, variable and file's name where they tell something, and its path."""
    return sorted({*_telling_labels(flow), _telling_stem(flow.file) or "", fold(_stem(flow.file))} - {""})


class _Nearest:
    """The flow of the other side that is most like a flow: those without a counterpart first, then any."""

    def __init__(
        self, flows: Mapping[SideName, list[FlowInfo]], left: Mapping[SideName, list[FlowInfo]]
    ) -> None:
        self.known = {side: [_Traits(left[side]), _Traits(flows[side])] for side in _SIDES}

    def to(self, flow: FlowInfo) -> FlowInfo | None:
        other: SideName = "v2" if flow.side == "v1" else "v1"
        near = (known.like(flow) for known in self.known[other])
        return next((one for one in near if one is not None), None)


class _Traits:
    """Flows by what they are known by, that by its runs of three letters: difflib alone takes too long."""

    def __init__(self, flows: Iterable[FlowInfo]) -> None:
        self.flows: dict[str, FlowInfo] = {}
        self.having: dict[str, list[str]] = defaultdict(list)
        for flow in flows:
            for trait in _traits(flow):
                if trait not in self.flows:
                    self.flows[trait] = flow
                    for run in _runs(trait):
                        self.having[run].append(trait)

    def like(self, flow: FlowInfo) -> FlowInfo | None:
        near: dict[str, None] = {}
        for trait in _traits(flow):
            common = Counter(other for run in _runs(trait) for other in self.having.get(run, ()))
            promising = [other for other, _ in common.most_common(5)]
            near.update(dict.fromkeys(difflib.get_close_matches(trait, promising, 1, 0.6)))
        flows = [self.flows[trait] for trait in near]
        return max(flows, key=lambda one: _likeness(flow, one), default=None)


def _runs(text: str) -> set[str]:
    padded = f"  {text} "
    return {padded[start : start + 3] for start in range(len(padded) - 2)}
