"""The flow of the other side that is most like a flow: what a user is told of one without a counterpart."""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from equivalence.config import SideName
from equivalence.flows import FlowInfo, fold, stem, telling_labels, telling_stem


class Nearest:
    """The flow of the other side that is most like a flow: those without a counterpart first, then any."""

    def __init__(self, flows: Mapping[SideName, list[FlowInfo]], left: Mapping[SideName, list[FlowInfo]]) -> None:
        self.known = {side: [_Traits(left[side]), _Traits(flows[side])] for side in flows}

    def to(self, flow: FlowInfo) -> FlowInfo | None:
        """The nearest flow of the other side, None where nothing is like it."""
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
        return max(flows, key=lambda one: likeness(flow, one), default=None)


def likeness(one: FlowInfo, other: FlowInfo) -> tuple[float, float]:
    """How like two flows are: by the likest of what they are known by, then by their files."""
    return (
        max(_ratio(left, right) for left in _traits(one) for right in _traits(other)),
        _ratio(fold(stem(one.file)), fold(stem(other.file))),
    )


def _ratio(left: str, right: str) -> float:
    return difflib.SequenceMatcher(None, left, right, autojunk=False).ratio()


def _traits(flow: FlowInfo) -> list[str]:
    """What a flow is known by: name, variable and file's name where they tell something, and its path."""
    return sorted({*telling_labels(flow), telling_stem(flow.file) or "", fold(stem(flow.file))} - {""})


def _runs(text: str) -> set[str]:
    padded = f"  {text} "
    return {padded[start : start + 3] for start in range(len(padded) - 2)}
