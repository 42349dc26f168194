"""One walk over two values: its state, and what holds at every place in them, whatever stands there.

What is in the nodes is for the descents, functions by the kind of a node, which come back here for each member.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from equivalence.compare.paths import Place, covers
from equivalence.compare.plain import plain
from equivalence.compare.render import class_text, render, render_pair, type_name
from equivalence.compare.rules import ValueRules, as_number, close
from equivalence.compare.tree import Tree, Value, kind, opaque_inside, same

MAX_DIFFERENCES = 50
"""Differences listed for one value; more are counted."""
MAX_VISITS = 5_000_000
"""Pairs of nodes looked at; shared nodes that differ are met again on every path to them."""

ABSENT = "(absent)"
REORDERED = "same members in another order"


@dataclass(frozen=True, slots=True)
class ValueDifference:
    """One place where two values differ, shown as short texts."""

    path: str
    v1: str
    v2: str
    note: str = ""


class Walk:
    """The state of one walk; `at` is its heart, `descents` are the ways into nodes by their kind."""

    def __init__(self, v1: Value, v2: Value, rules: ValueRules, descents: Mapping[str, Descent]) -> None:
        self.v1 = v1
        self.v2 = v2
        self.rules = rules
        self._descents = descents
        self.differences: list[ValueDifference] = []
        self.more = 0
        self.ignored: Counter[str] = Counter()
        self.normalised: Counter[str] = Counter()
        self.opaque: list[str] = []
        self.left_out = 0
        self._visits = 0
        self.loose = bool(rules.ignore or rules.tolerance or rules.comparator)
        self._ruled = bool(rules.ignore or rules.tolerance or rules.unordered or rules.comparator)
        self.shared1: dict[str, Tree] = {}
        self.shared2: dict[str, Tree] = {}

    def run(self, place: Place) -> None:
        """Load both trees and compare them."""
        root1, self.shared1 = self.v1.both()
        root2, self.shared2 = self.v2.both()
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(max(before, 30_000))  # the encoder allows values 1000 levels deep, 2000 by sharing
        try:
            self.at(root1, root2, place)
        finally:
            sys.setrecursionlimit(before)

    # -- one place --

    def at(self, one: Tree, other: Tree, place: Place) -> None:
        """Compare two nodes, whatever they are."""
        if same(one, other):
            return
        self._visits += 1
        if self.full and (self._visits > MAX_VISITS // 10 or not (self._ruled or opaque_inside(one))):
            self.more += 1
            return
        if self._visits > MAX_VISITS:
            self.differ(one, other, place, "too large to be compared further")
            return
        if self._set_aside(one, other, place):
            return
        one, other = self.resolved(one, self.shared1), self.resolved(other, self.shared2)
        opaque1, opaque2 = kind(one) == "opaque", kind(other) == "opaque"
        if opaque1 or opaque2:
            self.opaque.append(place.text)
            self.left_out += 1
            if not (opaque1 and opaque2):
                self.differ(one, other, place, "opaque on one side: cannot be compared")
            return
        self._by_kind(one, other, place)

    def differ(self, one: Tree, other: Tree, place: Place, note: str = "") -> None:
        """List a difference, or count it when the list is full."""
        if self.full:
            self.more += 1
            return
        shown1, shown2 = render_pair(one, other, self.shared1, self.shared2)
        self.differences.append(ValueDifference(place.text, shown1, shown2, note))

    def about(self, one: object, other: object, place: Place, note: str) -> None:
        """A difference in something that is no value: a dtype, a shape, a number of rows."""
        if self._ignored(place, 0):
            return
        if self.full:
            self.more += 1
            return
        self.differences.append(ValueDifference(place.text, str(one), str(other), note))

    def one_side(self, tree: Tree, place: Place, first: bool, note: str = "") -> None:
        """Something that v1 or v2 alone has."""
        if self._set_aside(tree if first else None, None if first else tree, place, comparable=False):
            return
        if opaque_inside(tree):
            self.opaque.append(place.text)
            self.left_out += 1
        if self.full:
            self.more += 1
            return
        shown = render(tree, self.shared1 if first else self.shared2)
        texts = (shown, ABSENT) if first else (ABSENT, shown)
        self.differences.append(ValueDifference(place.text, *texts, note or f"only in {'v1' if first else 'v2'}"))

    @property
    def full(self) -> bool:
        """Whether as many differences are listed as may be."""
        return len(self.differences) >= MAX_DIFFERENCES

    def resolved(self, tree: Tree, shared: Mapping[str, Tree]) -> Tree:
        """The node itself where a reference stands for it."""
        while isinstance(tree, dict) and tree["t"] == "ref":
            tree = shared[tree["d"]]
        return tree

    def _ignored(self, place: Place, tree: Tree) -> bool:
        for pattern in self.rules.ignore:
            if covers(pattern, place.steps):
                self.ignored[pattern] += 1
                self.left_out += _weight(tree) if tree is not None else 0
                return True
        return False

    def _set_aside(self, one: Tree, other: Tree, place: Place, comparable: bool = True) -> bool:
        """Whether one of the user's rules settles the place."""
        rules = self.rules
        if rules.ignore and self._ignored(place, one):
            return True
        if not comparable:
            return False
        if rules.tolerance:
            first_number, second_number = as_number(one), as_number(other)
            if first_number is not None and second_number is not None:
                for pattern, tolerance in rules.tolerance.items():
                    if covers(pattern, place.steps) and close(first_number, second_number, tolerance):
                        self.normalised[f"tolerance {pattern}"] += 1
                        return True
        if rules.comparator is not None and not opaque_inside(one) and not opaque_inside(other):
            first = plain(one, self.shared1, self.v1.read)
            second = plain(other, self.shared2, self.v2.read)
            verdict = rules.comparator(place.text, first, second)
            if verdict is True:
                self.normalised["comparator"] += 1
                return True
            if verdict is False:
                self.differ(one, other, place, "by the comparator")
                return True
        return False

    # -- by what they are --

    def _by_kind(self, one: Tree, other: Tree, place: Place) -> None:
        first, second = kind(one), kind(other)
        if {first, second} <= {"list", "tuple", "deque"}:
            self._descents[first](self, one, other, place)
            return
        if first != second:
            self.differ(one, other, place, type_note(one, other))
            return
        if first in ("object", "model", "namedtuple", "exception", "enum") and one["c"] != other["c"]:
            self.differ(one, other, place, f"type: {class_text(one['c'])} and {class_text(other['c'])}")
            return
        before = (
            len(self.differences) + self.more,
            len(self.opaque),
            sum(self.ignored.values()),
            self._settled,
        )
        descend = self._descents.get(first)
        if descend is None:
            self.differ(one, other, place, _leaf_note(one, other))
            return
        descend(self, one, other, place)
        after = len(self.differences) + self.more, len(self.opaque), sum(self.ignored.values()), self._settled
        if before == after:  # the digests differ, and nothing below explains it: never equal by silence
            self.differ(one, other, place, "differs in a way that no member shows")

    @property
    def _settled(self) -> int:
        return sum(self.normalised.values())


Descent = Callable[[Walk, Tree, Tree, Place], None]


def _weight(tree: Tree) -> int:
    """Nodes below a node, as the encoder counts them, references once."""
    if not isinstance(tree, dict):
        return 1
    members = tree.get("v")
    if isinstance(members, dict):
        return 1 + sum(map(_weight, members.values()))
    if isinstance(members, list) and "d" in tree:
        return 1 + (sum(map(_weight, members)) if any(isinstance(m, dict) for m in members) else len(members) // 1024)
    return 1 + sum(_weight(member) for pair in tree.get("items", ()) for member in pair)


def type_note(one: Tree, other: Tree) -> str:
    """What is said of two nodes of different types."""
    return f"type: {type_name(one)} and {type_name(other)}"


def _leaf_note(one: Tree, other: Tree) -> str:
    if isinstance(one, float) and isinstance(other, float) and one == other:
        return "sign of zero"
    if isinstance(one, dict) and one["t"] in ("datetime", "time"):
        clocks = [tree["v"].rpartition("T")[2] for tree in (one, other)]
        aware = ["+" in clock or "-" in clock for clock in clocks]
        if aware[0] != aware[1]:
            return "time zone on one side only"
    return ""
