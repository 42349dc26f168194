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

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from equivalence.config import PairSettings, Settings, SideName
from equivalence.errors import UsageProblem
from equivalence.flows import (
    FileProblem,
    FlowInfo,
    fold,
    labels,
    likely,
    pair_names,
    place,
    select,
    some,
    stem,
    telling_labels,
    telling_stem,
)
from equivalence.nearest import Nearest, likeness
from equivalence.tables import listed, nearest, quoted, table_name

Edge = tuple[FlowInfo, FlowInfo]
Labels = Callable[[FlowInfo], Iterable[Hashable]]


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


def pair_flows(
    settings: Settings, v1: Sequence[FlowInfo], v2: Sequence[FlowInfo], problems: Sequence[FileProblem] = ()
) -> Pairing:
    """The pairs of these flows; UsageProblem where the configuration names what is not there."""
    matching = _Matching(settings, v1, v2, problems)
    matching.take_configured()
    matching.take(lambda flow: {(flow.file, fold(flow.name))})
    matching.take(lambda flow: {(flow.file, label) for label in labels(flow)})
    matching.take_broken()
    matching.take(lambda flow: {fold(flow.name)})
    matching.take(telling_labels)
    matching.take(lambda flow: {(matching.file_pair(flow), label) for label in labels(flow)})
    matching.take(matching.only_flow)
    return matching.pairing()


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
            "v1": sorted(set(v1), key=place),
            "v2": sorted(set(v2), key=place),
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
        found = {(one, other) for one in self.left["v1"] for label in labels(one) for other in having.get(label, ())}
        return sorted(found, key=lambda edge: (place(edge[0]), place(edge[1])))

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
            found = select(selector, side, self.flows[side], self.failed(side))
        else:
            found = next((flow for flow in self.flows[side] if self.names[flow] == name), None) or next(
                (one for one in self.failed(side) if stem(one.file) == name.split("::")[0]),
                f"is absent, and no {side} flow has the name {quoted(name)}; add `{side}`"
                + likely(nearest(name, (self.names[flow] for flow in self.flows[side]))),
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
            if unknown and stem(v1_file) not in self.taken_names():
                self.add_broken(stem(v1_file), failed, other_side)

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
        near = Nearest(self.flows, self.left)
        return Pairing(
            pairs=tuple(sorted(self.pairs, key=lambda one: (place(one.v1), one.name))),
            broken=tuple(sorted(self.broken, key=lambda one: one.name)),
            unpaired=tuple(Unpaired(flow.side, flow, near.to(flow)) for flow in unpaired),
            ambiguous=ambiguous,
            problems=tuple(one for one in self.problems if one not in claimed),
        )

    def ambiguities(self) -> tuple[Ambiguity, ...]:
        left = set(self.left["v1"]) | set(self.left["v2"])
        edges = {(one, other) for one, other in self.undecided | set(self.same_files()) if {one, other} <= left}
        group: dict[FlowInfo, set[Edge]] = {}
        for edge in sorted(edges, key=lambda edge: (place(edge[0]), place(edge[1]))):
            merged = {edge}.union(*(group[flow] for flow in edge if flow in group))
            group.update({flow: merged for joined in merged for flow in joined})
        return tuple(
            Ambiguity(
                v1=tuple(sorted({one for one, _ in found}, key=place)),
                v2=tuple(sorted({other for _, other in found}, key=place)),
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
        for one in sorted({one for one, _ in edges}, key=place):
            others = sorted((other for v1, other in edges if v1 == one), key=place)
            rated = {other: likeness(one, other) for other in others}
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
        stems = {stem(one.file) for one in self.problems}
        mistakes = [
            f"{table_name('pairs', name)} names no pair{likely(nearest(name, known))} "
            f"A new one needs `v1` and `v2`. Found: {some(known)}"
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


def _file_pairs(v1: set[str], v2: set[str]) -> dict[str, str]:
    """v2 file → v1 file: same relative path, else the only ones of that folded path, else of that name."""
    found = {file: file for file in v1 & v2}
    keys: tuple[Callable[[str], str | None], ...] = (lambda file: fold(stem(file)), telling_stem)
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
