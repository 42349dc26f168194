"""Two values, a list of differences: digests prune, lists are aligned, the rules of the user are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from equivalence.compare import frames, members
from equivalence.compare.paths import Place
from equivalence.compare.rules import ValueRules
from equivalence.compare.tree import Value
from equivalence.compare.walk import Descent, ValueDifference, Walk

_DESCENTS: dict[str, Descent] = {
    "list": members.lists,
    "tuple": members.lists,
    "deque": members.lists,
    "dict": members.dicts,
    "object": members.objects,
    "model": members.objects,
    "namedtuple": members.objects,
    "exception": members.objects,
    "enum": members.enums,
    "set": members.sets,
    "frozenset": members.sets,
    "array": frames.arrays,
    "series": frames.series,
    "index": frames.series,
    "frame": frames.frames,
}


@dataclass(frozen=True, slots=True)
class ValueComparison:
    """What was found, and what was not looked at: nothing is equal by silence."""

    differences: tuple[ValueDifference, ...]
    more: int
    """Differences beyond those listed; a lower bound when the values are very large."""
    compared: int
    """Nodes of v1 (1024 scalars of a long list count as one) without what was ignored or opaque."""
    ignored: Mapping[str, int]
    """By pattern, places where it set a difference or something opaque aside."""
    normalised: Mapping[str, int]
    """By rule of the encoder, or ``tolerance PATTERN``, ``unordered PATTERN``, ``comparator``."""
    opaque: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """No difference was found; look at ``opaque`` and ``compared`` for what that is worth."""
        return not self.differences


def compare_values(v1: Value, v2: Value, *, path: str, rules: ValueRules) -> ValueComparison:
    """Compare two values that stand at ``path``."""
    walk = Walk(v1, v2, rules, _DESCENTS)
    if v1.digest != v2.digest or v1.opaques or v2.opaques:
        walk.run(Place.at(path))
    normalised = Counter(walk.normalised)
    for rule in {*v1.skews, *v2.skews}:
        normalised[rule] += max(v1.skews.get(rule, 0), v2.skews.get(rule, 0))
    return ValueComparison(
        differences=tuple(walk.differences),
        more=walk.more,
        compared=max(0, v1.nodes - walk.left_out),
        ignored=dict(walk.ignored),
        normalised=dict(normalised),
        opaque=tuple(walk.opaque),
    )
