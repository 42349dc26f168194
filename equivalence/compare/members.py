"""Containers compared member by member: dicts, objects, sets, and sequences by alignment, index or key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from equivalence.compare.paths import Place, covers
from equivalence.compare.render import render
from equivalence.compare.rules import length
from equivalence.compare.sequences import align
from equivalence.compare.tree import Tree, kind, opaque_inside, same, signature, signatures, unequal
from equivalence.compare.walk import REORDERED, Walk


def dicts(walk: Walk, one: Tree, other: Tree, place: Place) -> None:
    """Dicts by their keys, whatever these are."""
    if "v" in one and "v" in other:
        _named(walk, one["v"], other["v"], place, place.key)
        return
    items1, items2 = _items(one), _items(other)
    for key in [*items1, *(key for key in items2 if key not in items1)]:
        here = _key_place(walk, place, (items1.get(key) or items2[key])[0])
        if key not in items2:
            walk.one_side(items1[key][1], here, True)
        elif key not in items1:
            walk.one_side(items2[key][1], here, False)
        else:
            walk.at(items1[key][1], items2[key][1], here)


def _items(tree: Tree) -> dict[str, tuple[Tree, Tree]]:
    pairs = tree["v"].items() if "v" in tree else tree["items"]
    return {signature(key): (key, member) for key, member in pairs}


def _key_place(walk: Walk, place: Place, key: Tree) -> Place:
    if isinstance(key, str):
        return place.key(key)
    return place.item(render(key, {**walk.shared2, **walk.shared1}, 60))


def _named(
    walk: Walk,
    one: Mapping[str, Tree],
    other: Mapping[str, Tree],
    place: Place,
    step: Callable[[str], Place],
) -> None:
    for name, tree in one.items():
        if name not in other:
            walk.one_side(tree, step(name), True)
        elif not same(tree, other[name]):
            walk.at(tree, other[name], step(name))
    for name, tree in other.items():
        if name not in one:
            walk.one_side(tree, step(name), False)


def objects(walk: Walk, one: Tree, other: Tree, place: Place) -> None:
    """Objects, models, namedtuples and exceptions by their attributes."""
    if "base" in one and "base" in other:
        walk.at(one["base"], other["base"], place)
    if one["t"] == "exception":
        if not same(one["message"], other["message"]):  # the arguments say the same once more
            walk.at(one["message"], other["message"], place.attribute("message"))
            return
        sequences(walk, one["args"], other["args"], place.attribute("args"), None)
    _named(walk, one["v"], other["v"], place, place.attribute)


def enums(walk: Walk, one: Tree, other: Tree, place: Place) -> None:
    """Members of an enum by name, then by value."""
    if one["k"] != other["k"]:
        walk.differ(one, other, place)
    else:
        walk.at(one["v"], other["v"], place.attribute("value"))


def sets(walk: Walk, one: Tree, other: Tree, place: Place) -> None:
    """Sets: what is not in both is on one side alone."""
    multisets(walk, list(enumerate(one["v"])), list(enumerate(other["v"])), place, lambda index: place.item("*"))


# -- lists --


def lists(walk: Walk, one: Tree, other: Tree, place: Place) -> None:
    """Lists, tuples and deques, each with any of them."""
    if kind(one) != kind(other):
        walk.differ(one, other, place, f"type: {kind(one)} and {kind(other)}")
    sequences(walk, one["v"], other["v"], place, (one, other))


def sequences(
    walk: Walk, one: Sequence[Tree], other: Sequence[Tree], place: Place, nodes: tuple[Tree, Tree] | None
) -> None:
    """Members in order; `nodes` are the two as wholes, for what is said of them as wholes."""
    for pattern, key in walk.rules.unordered.items():
        if covers(pattern, place.steps) and len(place.steps) == length(pattern):
            walk.normalised[f"unordered {pattern}"] += 1
            _unordered(walk, one, other, place, key)
            return
    if len(one) == len(other):
        places = unequal(one, other)
        if len(places) <= 1:
            for index in places:
                walk.at(one[index], other[index], place.item(index))
            return
        if walk.loose:
            _by_index(walk, one, other, place, places, nodes)
            return
    sides1, sides2 = signatures(one), signatures(other)
    found = align(sides1, sides2, one, other)
    if any(map(opaque_inside, one)) or any(map(opaque_inside, other)):
        _opaque_members(walk, one, other, place, found.pairs)
    if found.reordered and nodes is not None:
        walk.differ(*nodes, place, REORDERED)
        return
    if found.reordered:
        for index in unequal(one, other):
            walk.at(one[index], other[index], place.item(index))
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
        walk.at(one[i], other[j], place.item(i))
    for index in found.only1:
        if index not in came_from:
            walk.one_side(one[index], place.item(index), True)
    for index in found.only2:
        note = f"moved from index {moved[index]} in v1" if index in moved else ""
        if note:
            walk.differ(one[moved[index]], other[index], place.item(index), note)
        else:
            walk.one_side(other[index], place.item(index), False)


def _by_index(
    walk: Walk,
    one: Sequence[Tree],
    other: Sequence[Tree],
    place: Place,
    places: Sequence[int],
    nodes: tuple[Tree, Tree] | None,
) -> None:
    """Where rules call different members equal digests cannot align: each is compared in its place."""
    before = len(walk.differences), walk.more, len(walk.opaque), walk.left_out
    counts = walk.ignored.copy(), walk.normalised.copy()
    for index in places:
        walk.at(one[index], other[index], place.item(index))
    if nodes is None or (len(walk.differences), walk.more) == before[:2]:
        return
    if Counter(signature(one[i]) for i in places) == Counter(signature(other[i]) for i in places):
        del walk.differences[before[0] :]
        del walk.opaque[before[2] :]
        walk.more, walk.left_out = before[1], before[3]
        walk.ignored, walk.normalised = counts
        walk.differ(*nodes, place, REORDERED)


def _opaque_members(
    walk: Walk, one: Sequence[Tree], other: Sequence[Tree], place: Place, pairs: Iterable[tuple[int, int]]
) -> None:
    """Opaque members are looked at also where their texts are equal."""
    taken = {i for i, _ in pairs}
    for index in range(min(len(one), len(other))):
        if index not in taken and opaque_inside(one[index]) and signature(one[index]) == signature(other[index]):
            walk.at(one[index], other[index], place.item(index))


def _unordered(walk: Walk, one: Sequence[Tree], other: Sequence[Tree], place: Place, key: str | None) -> None:
    if not key:
        multisets(walk, list(enumerate(one)), list(enumerate(other)), place, place.item)
        return
    keyed1, keyed2 = (
        _by_key(walk, one, key, walk.shared1),
        _by_key(walk, other, key, walk.shared2),
    )
    for name in [*keyed1, *(name for name in keyed2 if name not in keyed1)]:
        rows1, rows2 = keyed1.get(name, []), keyed2.get(name, [])
        for place_number, (row1, row2) in enumerate(zip(rows1, rows2, strict=False)):
            walk.at(row1, row2, _row_place(walk, place, key, row1, walk.shared1, place_number))
        for number, row in enumerate(rows1[len(rows2) :], len(rows2)):
            walk.one_side(row, _row_place(walk, place, key, row, walk.shared1, number), True)
        for number, row in enumerate(rows2[len(rows1) :], len(rows1)):
            walk.one_side(row, _row_place(walk, place, key, row, walk.shared2, number), False)


def _field(walk: Walk, row: Tree, key: str, shared: Mapping[str, Tree]) -> tuple[bool, Tree]:
    row = walk.resolved(row, shared)
    members = row.get("v") if isinstance(row, dict) else None
    if isinstance(members, dict) and key in members:
        return True, members[key]
    return False, row


def _by_key(walk: Walk, rows: Sequence[Tree], key: str, shared: Mapping[str, Tree]) -> dict[str, list[Tree]]:
    found: dict[str, list[Tree]] = {}
    for row in rows:
        has, value = _field(walk, row, key, shared)
        found.setdefault(("k" if has else "r") + signature(value), []).append(row)
    return found


def _row_place(walk: Walk, place: Place, key: str, row: Tree, shared: Mapping[str, Tree], number: int) -> Place:
    has, value = _field(walk, row, key, shared)
    shown = f"{key}={render(value, shared, 40)}" if has else f"without {key}"
    return place.item(shown + (f" #{number + 1}" if number else ""))


def multisets(
    walk: Walk,
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
            walk.at(tree, partners.pop(0)[1], step(index))
        else:
            walk.one_side(tree, step(index), True)
    for partners in waiting.values():
        for index, tree in partners:
            walk.one_side(tree, step(index), False)
