"""Two values, a list of differences: digests prune, lists are aligned, the rules of the user are counted."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from equivalence.compare import columns
from equivalence.compare.paths import Place, covers
from equivalence.compare.plain import plain
from equivalence.compare.render import class_text, render, render_pair, type_name
from equivalence.compare.sequences import align
from equivalence.compare.tree import Tree, Value, kind, opaque_inside, same, signature, signatures, unequal

MAX_DIFFERENCES = 50
"""Differences listed for one value; more are counted."""
MAX_VISITS = 5_000_000
"""Pairs of nodes looked at; shared nodes that differ are met again on every path to them."""
ALIGNED_ROWS = 20_000
"""Frames of unequal length are aligned row by row up to so many rows."""

_ORDERED = ("list", "tuple", "deque", "range", "slice", "regex")
_ABSENT = "(absent)"
_REORDERED = "same members in another order"

Comparator = Callable[[str, Any, Any], "bool | None"]


@dataclass(frozen=True, slots=True)
class ValueRules:
    """What the user set aside. Patterns are paths in which ``*`` stands for any one key or index."""

    ignore: tuple[str, ...] = ()
    tolerance: Mapping[str, float] = field(default_factory=dict)
    unordered: Mapping[str, str | None] = field(default_factory=dict)
    comparator: Comparator | None = None


@dataclass(frozen=True, slots=True)
class ValueDifference:
    """One place where two values differ, shown as short texts."""

    path: str
    v1: str
    v2: str
    note: str = ""


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
    comparison = _Comparison(v1, v2, rules)
    if v1.digest != v2.digest or v1.opaques or v2.opaques:
        comparison.run(Place.at(path))
    normalised = Counter(comparison.normalised)
    for rule in {*v1.skews, *v2.skews}:
        normalised[rule] += max(v1.skews.get(rule, 0), v2.skews.get(rule, 0))
    return ValueComparison(
        differences=tuple(comparison.differences),
        more=comparison.more,
        compared=max(0, v1.nodes - comparison.left_out),
        ignored=dict(comparison.ignored),
        normalised=dict(normalised),
        opaque=tuple(comparison.opaque),
    )


def is_ignored(path: str, rules: ValueRules) -> str | None:
    """The pattern of ``ignore`` that covers a path, or None."""
    place = Place.at(path)
    return next((pattern for pattern in rules.ignore if covers(pattern, place.steps)), None)


def _weight(tree: Tree) -> int:
    """Nodes below a node, as the encoder counts them, references once."""
    if not isinstance(tree, dict):
        return 1
    members = tree.get("v")
    if isinstance(members, dict):
        return 1 + sum(map(_weight, members.values()))
    if isinstance(members, list) and "d" in tree:
        return 1 + (
            sum(map(_weight, members)) if any(isinstance(m, dict) for m in members) else len(members) // 1024
        )
    return 1 + sum(_weight(member) for pair in tree.get("items", ()) for member in pair)


def _as_number(tree: Tree) -> float | int | None:
    if isinstance(tree, bool):
        return None
    if isinstance(tree, int | float):
        return tree
    if isinstance(tree, dict) and tree["t"] == "decimal":
        return float(tree["v"])
    return None


class _Comparison:
    """The state of one comparison; `at` is its heart."""

    def __init__(self, v1: Value, v2: Value, rules: ValueRules) -> None:
        self.v1 = v1
        self.v2 = v2
        self.rules = rules
        self.differences: list[ValueDifference] = []
        self.more = 0
        self.ignored: Counter[str] = Counter()
        self.normalised: Counter[str] = Counter()
        self.opaque: list[str] = []
        self.left_out = 0
        self._visits = 0
        self._loose = bool(rules.ignore or rules.tolerance or rules.comparator)
        self._ruled = bool(rules.ignore or rules.tolerance or rules.unordered or rules.comparator)
        self._shared1: dict[str, Tree] = {}
        self._shared2: dict[str, Tree] = {}

    def run(self, place: Place) -> None:
        """Load both trees and compare them."""
        root1, self._shared1 = self.v1.both()
        root2, self._shared2 = self.v2.both()
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(
            max(before, 30_000)
        )  # the encoder allows values 1000 levels deep, 2000 by sharing
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
        if self._full and (self._visits > MAX_VISITS // 10 or not (self._ruled or opaque_inside(one))):
            self.more += 1
            return
        if self._visits > MAX_VISITS:
            self.differ(one, other, place, "too large to be compared further")
            return
        if self._set_aside(one, other, place):
            return
        one, other = self._resolved(one, self._shared1), self._resolved(other, self._shared2)
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
        if self._full:
            self.more += 1
            return
        shown1, shown2 = render_pair(one, other, self._shared1, self._shared2)
        self.differences.append(ValueDifference(place.text, shown1, shown2, note))

    def about(self, one: object, other: object, place: Place, note: str) -> None:
        """A difference in something that is no value: a dtype, a shape, a number of rows."""
        if self._ignored(place, 0):
            return
        if self._full:
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
        if self._full:
            self.more += 1
            return
        shown = render(tree, self._shared1 if first else self._shared2)
        texts = (shown, _ABSENT) if first else (_ABSENT, shown)
        self.differences.append(
            ValueDifference(place.text, *texts, note or f"only in {'v1' if first else 'v2'}")
        )

    @property
    def _full(self) -> bool:
        return len(self.differences) >= MAX_DIFFERENCES

    def _resolved(self, tree: Tree, shared: Mapping[str, Tree]) -> Tree:
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
            first_number, second_number = _as_number(one), _as_number(other)
            if first_number is not None and second_number is not None:
                for pattern, tolerance in rules.tolerance.items():
                    if covers(pattern, place.steps) and _close(first_number, second_number, tolerance):
                        self.normalised[f"tolerance {pattern}"] += 1
                        return True
        if rules.comparator is not None and not opaque_inside(one) and not opaque_inside(other):
            first = plain(one, self._shared1, self.v1.read)
            second = plain(other, self._shared2, self.v2.read)
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
        if first in _ORDERED and second in _ORDERED and {first, second} <= {"list", "tuple", "deque"}:
            if first != second:
                self.differ(one, other, place, f"type: {first} and {second}")
            self._sequences(one["v"], other["v"], place, (one, other))
            return
        if first != second:
            self.differ(one, other, place, _type_note(one, other))
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
        descend = _DESCENTS.get(first)
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

    def _dicts(self, one: Tree, other: Tree, place: Place) -> None:
        if "v" in one and "v" in other:
            self._named(one["v"], other["v"], place, place.key)
            return
        items1, items2 = _items(one), _items(other)
        for key in [*items1, *(key for key in items2 if key not in items1)]:
            here = self._key_place(place, (items1.get(key) or items2[key])[0])
            if key not in items2:
                self.one_side(items1[key][1], here, True)
            elif key not in items1:
                self.one_side(items2[key][1], here, False)
            else:
                self.at(items1[key][1], items2[key][1], here)

    def _key_place(self, place: Place, key: Tree) -> Place:
        if isinstance(key, str):
            return place.key(key)
        return place.item(render(key, {**self._shared2, **self._shared1}, 60))

    def _named(
        self, one: Mapping[str, Tree], other: Mapping[str, Tree], place: Place, step: Callable[[str], Place]
    ) -> None:
        for name, tree in one.items():
            if name not in other:
                self.one_side(tree, step(name), True)
            elif not same(tree, other[name]):
                self.at(tree, other[name], step(name))
        for name, tree in other.items():
            if name not in one:
                self.one_side(tree, step(name), False)

    def _objects(self, one: Tree, other: Tree, place: Place) -> None:
        if "base" in one and "base" in other:
            self.at(one["base"], other["base"], place)
        if one["t"] == "exception":
            if not same(one["message"], other["message"]):  # the arguments say the same once more
                self.at(one["message"], other["message"], place.attribute("message"))
                return
            self._sequences(one["args"], other["args"], place.attribute("args"), None)
        self._named(one["v"], other["v"], place, place.attribute)

    def _enums(self, one: Tree, other: Tree, place: Place) -> None:
        if one["k"] != other["k"]:
            self.differ(one, other, place)
        else:
            self.at(one["v"], other["v"], place.attribute("value"))

    def _sets(self, one: Tree, other: Tree, place: Place) -> None:
        self._multisets(
            list(enumerate(one["v"])), list(enumerate(other["v"])), place, lambda index: place.item("*")
        )

    # -- lists --

    def _sequences(
        self, one: Sequence[Tree], other: Sequence[Tree], place: Place, nodes: tuple[Tree, Tree] | None
    ) -> None:
        for pattern, key in self.rules.unordered.items():
            if covers(pattern, place.steps) and len(place.steps) == _length(pattern):
                self.normalised[f"unordered {pattern}"] += 1
                self._unordered(one, other, place, key)
                return
        if len(one) == len(other):
            places = unequal(one, other)
            if len(places) <= 1:
                for index in places:
                    self.at(one[index], other[index], place.item(index))
                return
            if self._loose:
                self._by_index(one, other, place, places, nodes)
                return
        sides1, sides2 = signatures(one), signatures(other)
        found = align(sides1, sides2, one, other)
        if any(map(opaque_inside, one)) or any(map(opaque_inside, other)):
            self._opaque_members(one, other, place, found.pairs)
        if found.reordered and nodes is not None:
            self.differ(*nodes, place, _REORDERED)
            return
        if found.reordered:
            for index in unequal(one, other):
                self.at(one[index], other[index], place.item(index))
            return
        gone: dict[str, list[int]] = {}
        for index in found.only1:
            gone.setdefault(sides1[index], []).append(index)
        moved: dict[int, int] = {}
        for index in found.only2:
            if gone.get(sides2[index]):
                moved[index] = gone[sides2[index]].pop(0)
        came_from = set(moved.values())
        for i, j in found.pairs:
            self.at(one[i], other[j], place.item(i))
        for index in found.only1:
            if index not in came_from:
                self.one_side(one[index], place.item(index), True)
        for index in found.only2:
            note = f"moved from index {moved[index]} in v1" if index in moved else ""
            if note:
                self.differ(one[moved[index]], other[index], place.item(index), note)
            else:
                self.one_side(other[index], place.item(index), False)

    def _by_index(
        self,
        one: Sequence[Tree],
        other: Sequence[Tree],
        place: Place,
        places: Sequence[int],
        nodes: tuple[Tree, Tree] | None,
    ) -> None:
        """Where rules call different members equal digests cannot align: each is compared in its place."""
        before = len(self.differences), self.more, len(self.opaque), self.left_out
        counts = self.ignored.copy(), self.normalised.copy()
        for index in places:
            self.at(one[index], other[index], place.item(index))
        if nodes is None or (len(self.differences), self.more) == before[:2]:
            return
        if Counter(signature(one[i]) for i in places) == Counter(signature(other[i]) for i in places):
            del self.differences[before[0] :]
            del self.opaque[before[2] :]
            self.more, self.left_out = before[1], before[3]
            self.ignored, self.normalised = counts
            self.differ(*nodes, place, _REORDERED)

    def _opaque_members(
        self, one: Sequence[Tree], other: Sequence[Tree], place: Place, pairs: Iterable[tuple[int, int]]
    ) -> None:
        """Opaque members are looked at also where their texts are equal."""
        taken = {i for i, _ in pairs}
        for index in range(min(len(one), len(other))):
            if (
                index not in taken
                and opaque_inside(one[index])
                and signature(one[index]) == signature(other[index])
            ):
                self.at(one[index], other[index], place.item(index))

    def _unordered(self, one: Sequence[Tree], other: Sequence[Tree], place: Place, key: str | None) -> None:
        if not key:
            self._multisets(list(enumerate(one)), list(enumerate(other)), place, place.item)
            return
        keyed1, keyed2 = self._by_key(one, key, self._shared1), self._by_key(other, key, self._shared2)
        for name in [*keyed1, *(name for name in keyed2 if name not in keyed1)]:
            rows1, rows2 = keyed1.get(name, []), keyed2.get(name, [])
            for place_number, (row1, row2) in enumerate(zip(rows1, rows2, strict=False)):
                self.at(row1, row2, self._row_place(place, key, row1, self._shared1, place_number))
            for number, row in enumerate(rows1[len(rows2) :], len(rows2)):
                self.one_side(row, self._row_place(place, key, row, self._shared1, number), True)
            for number, row in enumerate(rows2[len(rows1) :], len(rows1)):
                self.one_side(row, self._row_place(place, key, row, self._shared2, number), False)

    def _field(self, row: Tree, key: str, shared: Mapping[str, Tree]) -> tuple[bool, Tree]:
        row = self._resolved(row, shared)
        members = row.get("v") if isinstance(row, dict) else None
        if isinstance(members, dict) and key in members:
            return True, members[key]
        return False, row

    def _by_key(self, rows: Sequence[Tree], key: str, shared: Mapping[str, Tree]) -> dict[str, list[Tree]]:
        found: dict[str, list[Tree]] = {}
        for row in rows:
            has, value = self._field(row, key, shared)
            found.setdefault(("k" if has else "r") + signature(value), []).append(row)
        return found

    def _row_place(self, place: Place, key: str, row: Tree, shared: Mapping[str, Tree], number: int) -> Place:
        has, value = self._field(row, key, shared)
        shown = f"{key}={render(value, shared, 40)}" if has else f"without {key}"
        return place.item(shown + (f" #{number + 1}" if number else ""))

    def _multisets(
        self,
        one: list[tuple[int, Tree]],
        other: list[tuple[int, Tree]],
        place: Place,
        step: Callable[[int], Place],
    ) -> None:
        """Members without order: what is equal goes together, the rest is on one side alone."""
        waiting: dict[str, list[tuple[int, Tree]]] = {}
        for index, tree in other:
            waiting.setdefault(signature(tree), []).append((index, tree))
        for index, tree in one:
            partners = waiting.get(signature(tree))
            if partners:
                self.at(tree, partners.pop(0)[1], step(index))
            else:
                self.one_side(tree, step(index), True)
        for partners in waiting.values():
            for index, tree in partners:
                self.one_side(tree, step(index), False)

    # -- arrays and frames --

    def _columns(self, one: Tree, other: Tree, place: Place) -> None:
        """One column against another: dtype, then cells."""
        if one["dtype"] != other["dtype"]:
            self.about(one["dtype"], other["dtype"], place.attribute("dtype"), "type")
        bulk = not (
            self.rules.ignore or self.rules.tolerance or self.rules.comparator or "o" in one or "o" in other
        )
        for row, cell1, cell2 in columns.differing(one, other, self.v1.read, self.v2.read):
            if bulk and self._full:
                self.more += 1
            else:
                self.at(cell1, cell2, place.item(row))

    def _arrays(self, one: Tree, other: Tree, place: Place) -> None:
        if one["lib"] != other["lib"]:
            self.differ(one, other, place, f"type: {type_name(one)} and {type_name(other)}")
            return
        if one.get("shape") != other.get("shape"):
            self.about(tuple(one["shape"]), tuple(other["shape"]), place.attribute("shape"), "shape")
            if len(one["shape"]) > 1 or len(other["shape"]) > 1 or max(one["n"], other["n"]) > ALIGNED_ROWS:
                return
        elif len(one.get("shape", ())) > 1:
            if one["column"]["dtype"] != other["column"]["dtype"]:
                self.about(one["column"]["dtype"], other["column"]["dtype"], place.attribute("dtype"), "type")
            for flat, cell1, cell2 in columns.differing(
                one["column"], other["column"], self.v1.read, self.v2.read
            ):
                here = place
                for index in _unravel(flat, one["shape"]):
                    here = here.item(index)
                self.at(cell1, cell2, here)
            return
        self._series(one, other, place)

    def _series(self, one: Tree, other: Tree, place: Place) -> None:
        if one["lib"] != other["lib"]:
            self.differ(one, other, place, f"type: {type_name(one)} and {type_name(other)}")
            return
        if not same(one.get("name"), other.get("name")):
            self.at(one.get("name"), other.get("name"), place.attribute("name"))
        if "index" in one and "index" in other and one["n"] == other["n"]:
            self._indexes(one["index"], other["index"], place.attribute("index"))
        if "column" not in one:
            return
        first, second = one["column"], other["column"]
        if one["n"] == other["n"]:
            self._columns(first, second, place)
            return
        if max(one["n"], other["n"]) <= ALIGNED_ROWS:
            if first["dtype"] != second["dtype"]:
                self.about(first["dtype"], second["dtype"], place.attribute("dtype"), "type")
            self._sequences(
                columns.cells(first, self.v1.read), columns.cells(second, self.v2.read), place, None
            )
            return
        self.about(one["n"], other["n"], place.attribute("rows"), "number of rows")
        self._columns(first, second, place)

    def _indexes(self, one: Tree, other: Tree, place: Place) -> None:
        if one.get("name") != other.get("name"):
            self.about(_names(one), _names(other), place.attribute("names"), "")
        if "range" in one or "range" in other:
            if one.get("range") != other.get("range"):
                self.about(_index_shown(one), _index_shown(other), place, "")
            return
        if one["d"] != other["d"] or "o" in one or "o" in other:
            self._columns(one, other, place)

    def _frames(self, one: Tree, other: Tree, place: Place) -> None:
        if one["lib"] != other["lib"]:
            self.differ(one, other, place, f"type: {type_name(one)} and {type_name(other)}")
            return
        named1, named2 = _frame_columns(one), _frame_columns(other)
        for name, (shown, column) in named1.items():
            if name not in named2:
                self._column_alone(column, self._column_place(place, shown), True)
        for name, (shown, column) in named2.items():
            if name not in named1:
                self._column_alone(column, self._column_place(place, shown), False)
        both = [name for name in named1 if name in named2]
        if both != [name for name in named2 if name in named1]:
            order1 = [render(named1[name][0], limit=40) for name in both]
            order2 = [render(named1[name][0], limit=40) for name in named2 if name in named1]
            self.about(", ".join(order1), ", ".join(order2), place.attribute("columns"), _REORDERED)
        pairs = [(self._column_place(place, named1[n][0]), named1[n][1], named2[n][1]) for n in both]
        for pattern, key in self.rules.unordered.items():
            if covers(pattern, place.steps) and len(place.steps) == _length(pattern):
                self.normalised[f"unordered {pattern}"] += 1
                self._unordered_rows(pairs, place, key)
                return
        if one["n"] == other["n"]:
            if "index" in one:
                self._indexes(one["index"], other["index"], place.attribute("index"))
            for here, first, second in pairs:
                if first["d"] != second["d"] or "o" in first or "o" in second:
                    self._columns(first, second, here)
            return
        if max(one["n"], other["n"]) > ALIGNED_ROWS or not pairs:
            self.about(one["n"], other["n"], place.attribute("rows"), "number of rows")
            for here, first, second in pairs:
                self._columns(first, second, here)
            return
        self._aligned_rows(pairs, place)

    def _column_alone(self, column: Tree, place: Place, first: bool) -> None:
        texts = (_about(column), _ABSENT) if first else (_ABSENT, _about(column))
        self.about(*texts, place, f"column only in {'v1' if first else 'v2'}")

    def _column_place(self, place: Place, name: Tree) -> Place:
        return place.column(name) if isinstance(name, str) else place.item(render(name, limit=60))

    def _rows(self, pairs: list[tuple[Place, Tree, Tree]], side: int) -> list[tuple[Tree, ...]]:
        if side == 0:
            found = [columns.cells(first, self.v1.read) for _, first, _ in pairs]
        else:
            found = [columns.cells(second, self.v2.read) for _, _, second in pairs]
        return list(zip(*found, strict=True))

    def _dtypes(self, pairs: list[tuple[Place, Tree, Tree]]) -> None:
        for here, first, second in pairs:
            if first["dtype"] != second["dtype"]:
                self.about(first["dtype"], second["dtype"], here.attribute("dtype"), "type")

    def _aligned_rows(self, pairs: list[tuple[Place, Tree, Tree]], place: Place) -> None:
        """Frames of unequal length: an inserted row is one difference."""
        self._dtypes(pairs)
        rows1, rows2 = self._rows(pairs, 0), self._rows(pairs, 1)
        trees1, trees2 = [_tuple(row) for row in rows1], [_tuple(row) for row in rows2]
        found = align([_row_signature(r) for r in rows1], [_row_signature(r) for r in rows2], trees1, trees2)
        for i, j in found.pairs:
            for (here, _, _), cell1, cell2 in zip(pairs, rows1[i], rows2[j], strict=True):
                self.at(cell1, cell2, here.item(i))
        for index in found.only1:
            self.one_side(trees1[index], place.item(index), True, "row only in v1")
        for index in found.only2:
            self.one_side(trees2[index], place.item(index), False, "row only in v2")

    def _unordered_rows(self, pairs: list[tuple[Place, Tree, Tree]], place: Place, key: str | None) -> None:
        self._dtypes(pairs)
        names = [here.steps[-1] for here, _, _ in pairs]
        rows1, rows2 = self._rows(pairs, 0), self._rows(pairs, 1)
        if not key or key not in names:
            trees1, trees2 = [_tuple(row) for row in rows1], [_tuple(row) for row in rows2]
            self._multisets(list(enumerate(trees1)), list(enumerate(trees2)), place, place.item)
            return
        position = names.index(key)
        waiting: dict[str, list[tuple[Tree, ...]]] = {}
        for row in rows2:
            waiting.setdefault(signature(row[position]), []).append(row)
        for row in rows1:
            shown = f"{key}={render(row[position], limit=40)}"
            partners = waiting.get(signature(row[position]))
            if not partners:
                self.one_side(_tuple(row), place.item(shown), True, "row only in v1")
                continue
            partner = partners.pop(0)
            for (here, _, _), cell1, cell2 in zip(pairs, row, partner, strict=True):
                self.at(cell1, cell2, here.item(shown))
        for partners in waiting.values():
            for row in partners:
                shown = f"{key}={render(row[position], limit=40)}"
                self.one_side(_tuple(row), place.item(shown), False, "row only in v2")


_Descent = Callable[[_Comparison, Tree, Tree, Place], None]
_DESCENTS: dict[str, _Descent] = {
    "dict": _Comparison._dicts,
    "object": _Comparison._objects,
    "model": _Comparison._objects,
    "namedtuple": _Comparison._objects,
    "exception": _Comparison._objects,
    "enum": _Comparison._enums,
    "set": _Comparison._sets,
    "frozenset": _Comparison._sets,
    "array": _Comparison._arrays,
    "series": _Comparison._series,
    "index": _Comparison._series,
    "frame": _Comparison._frames,
}


def _length(pattern: str) -> int:
    return len(Place.at(pattern).steps)


def _close(one: float | int, other: float | int, tolerance: float) -> bool:
    try:
        return (one != one and other != other) or math.isclose(
            one, other, rel_tol=tolerance, abs_tol=tolerance
        )
    except OverflowError:
        return False


def _items(tree: Tree) -> dict[str, tuple[Tree, Tree]]:
    pairs = tree["v"].items() if "v" in tree else tree["items"]
    return {signature(key): (key, member) for key, member in pairs}


def _type_note(one: Tree, other: Tree) -> str:
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


def _tuple(members: Iterable[Tree]) -> Tree:
    found = list(members)
    whole = {"t": "tuple", "n": len(found), "v": found}
    if any(map(opaque_inside, found)):
        whole["o"] = 1
    whole["d"] = _row_signature(found)
    return whole


def _row_signature(row: Iterable[Tree]) -> str:
    return "\x00".join(map(signature, row))


def _unravel(flat: int, shape: Sequence[int]) -> list[int]:
    found = []
    for size in reversed(shape):
        flat, rest = divmod(flat, size)
        found.append(rest)
    return found[::-1]


def _names(index: Tree) -> str:
    return ", ".join(index.get("name") or ["(none)"])


def _index_shown(index: Tree) -> str:
    if "range" in index:
        return f"range({', '.join(map(str, index['range']))})"
    return f"{index['n']} values of {index['dtype']}"


def _frame_columns(tree: Tree) -> dict[str, tuple[Tree, Tree]]:
    found: dict[str, tuple[Tree, Tree]] = {}
    for column in tree["columns"]:
        name = signature(column["name"])
        while name in found:  # pandas allows a name twice: the second is another column
            name += "'"
        found[name] = (column["name"], column["column"])
    return found


def _about(column: Tree) -> str:
    return f"column of {column['n']} {column['dtype']}"
