"""Arrays, series and frames compared: types and shapes, then cells; rows are aligned or matched by key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from equivalence.compare import columns
from equivalence.compare.members import multisets, sequences
from equivalence.compare.paths import Place, covers
from equivalence.compare.render import render, type_name
from equivalence.compare.rules import length
from equivalence.compare.sequences import align
from equivalence.compare.tree import Tree, opaque_inside, same, signature
from equivalence.compare.walk import ABSENT, REORDERED, Walk

ALIGNED_ROWS = 20_000
"""Frames of unequal length are aligned row by row up to so many rows."""


def _columns(walk: Walk, one: Tree, other: Tree, place: Place) -> None:
    """One column against another: dtype, then cells."""
    if one["dtype"] != other["dtype"]:
        walk.about(one["dtype"], other["dtype"], place.attribute("dtype"), "type")
    bulk = not (walk.rules.ignore or walk.rules.tolerance or walk.rules.comparator or "o" in one or "o" in other)
    for row, cell1, cell2 in columns.differing(one, other, walk.v1.read, walk.v2.read):
        if bulk and walk.full:
            walk.more += 1
        else:
            walk.at(cell1, cell2, place.item(row))


def arrays(walk: Walk, one: Tree, other: Tree, place: Place) -> None:
    """Arrays of numpy; those of one dimension as series."""
    if one["lib"] != other["lib"]:
        walk.differ(one, other, place, f"type: {type_name(one)} and {type_name(other)}")
        return
    if one.get("shape") != other.get("shape"):
        walk.about(tuple(one["shape"]), tuple(other["shape"]), place.attribute("shape"), "shape")
        if len(one["shape"]) > 1 or len(other["shape"]) > 1 or max(one["n"], other["n"]) > ALIGNED_ROWS:
            return
    elif len(one.get("shape", ())) > 1:
        if one["column"]["dtype"] != other["column"]["dtype"]:
            walk.about(one["column"]["dtype"], other["column"]["dtype"], place.attribute("dtype"), "type")
        for flat, cell1, cell2 in columns.differing(one["column"], other["column"], walk.v1.read, walk.v2.read):
            here = place
            for index in _unravel(flat, one["shape"]):
                here = here.item(index)
            walk.at(cell1, cell2, here)
        return
    series(walk, one, other, place)


def _unravel(flat: int, shape: Sequence[int]) -> list[int]:
    found = []
    for size in reversed(shape):
        flat, rest = divmod(flat, size)
        found.append(rest)
    return found[::-1]


def series(walk: Walk, one: Tree, other: Tree, place: Place) -> None:
    """Series and indexes, and arrays of one dimension."""
    if one["lib"] != other["lib"]:
        walk.differ(one, other, place, f"type: {type_name(one)} and {type_name(other)}")
        return
    if not same(one.get("name"), other.get("name")):
        walk.at(one.get("name"), other.get("name"), place.attribute("name"))
    if "index" in one and "index" in other and one["n"] == other["n"]:
        _indexes(walk, one["index"], other["index"], place.attribute("index"))
    if "column" not in one:
        return
    first, second = one["column"], other["column"]
    if one["n"] == other["n"]:
        _columns(walk, first, second, place)
        return
    if max(one["n"], other["n"]) <= ALIGNED_ROWS:
        if first["dtype"] != second["dtype"]:
            walk.about(first["dtype"], second["dtype"], place.attribute("dtype"), "type")
        sequences(walk, columns.cells(first, walk.v1.read), columns.cells(second, walk.v2.read), place, None)
        return
    walk.about(one["n"], other["n"], place.attribute("rows"), "number of rows")
    _columns(walk, first, second, place)


def _indexes(walk: Walk, one: Tree, other: Tree, place: Place) -> None:
    if one.get("name") != other.get("name"):
        walk.about(_names(one), _names(other), place.attribute("names"), "")
    if "range" in one or "range" in other:
        if one.get("range") != other.get("range"):
            walk.about(_index_shown(one), _index_shown(other), place, "")
        return
    if one["d"] != other["d"] or "o" in one or "o" in other:
        _columns(walk, one, other, place)


def _names(index: Tree) -> str:
    return ", ".join(index.get("name") or ["(none)"])


def _index_shown(index: Tree) -> str:
    if "range" in index:
        return f"range({', '.join(map(str, index['range']))})"
    return f"{index['n']} values of {index['dtype']}"


def frames(walk: Walk, one: Tree, other: Tree, place: Place) -> None:
    """Frames: columns by name, rows by their place, by alignment, or by what the user matches them by."""
    if one["lib"] != other["lib"]:
        walk.differ(one, other, place, f"type: {type_name(one)} and {type_name(other)}")
        return
    named1, named2 = _frame_columns(one), _frame_columns(other)
    for name, (shown, column) in named1.items():
        if name not in named2:
            _column_alone(walk, column, _column_place(walk, place, shown), True)
    for name, (shown, column) in named2.items():
        if name not in named1:
            _column_alone(walk, column, _column_place(walk, place, shown), False)
    both = [name for name in named1 if name in named2]
    if both != [name for name in named2 if name in named1]:
        order1 = [render(named1[name][0], limit=40) for name in both]
        order2 = [render(named1[name][0], limit=40) for name in named2 if name in named1]
        walk.about(", ".join(order1), ", ".join(order2), place.attribute("columns"), REORDERED)
    pairs = [(_column_place(walk, place, named1[n][0]), named1[n][1], named2[n][1]) for n in both]
    for pattern, key in walk.rules.unordered.items():
        if covers(pattern, place.steps) and len(place.steps) == length(pattern):
            walk.normalised[f"unordered {pattern}"] += 1
            _unordered_rows(walk, pairs, place, key)
            return
    if one["n"] == other["n"]:
        if "index" in one:
            _indexes(walk, one["index"], other["index"], place.attribute("index"))
        for here, first, second in pairs:
            if first["d"] != second["d"] or "o" in first or "o" in second:
                _columns(walk, first, second, here)
        return
    if max(one["n"], other["n"]) > ALIGNED_ROWS or not pairs:
        walk.about(one["n"], other["n"], place.attribute("rows"), "number of rows")
        for here, first, second in pairs:
            _columns(walk, first, second, here)
        return
    _aligned_rows(walk, pairs, place)


def _frame_columns(tree: Tree) -> dict[str, tuple[Tree, Tree]]:
    found: dict[str, tuple[Tree, Tree]] = {}
    for column in tree["columns"]:
        name = signature(column["name"])
        while name in found:  # pandas allows a name twice: the second is another column
            name += "'"
        found[name] = (column["name"], column["column"])
    return found


def _column_alone(walk: Walk, column: Tree, place: Place, first: bool) -> None:
    texts = (_about(column), ABSENT) if first else (ABSENT, _about(column))
    walk.about(*texts, place, f"column only in {'v1' if first else 'v2'}")


def _about(column: Tree) -> str:
    return f"column of {column['n']} {column['dtype']}"


def _column_place(walk: Walk, place: Place, name: Tree) -> Place:
    return place.column(name) if isinstance(name, str) else place.item(render(name, limit=60))


def _rows(walk: Walk, pairs: list[tuple[Place, Tree, Tree]], side: int) -> list[tuple[Tree, ...]]:
    if side == 0:
        found = [columns.cells(first, walk.v1.read) for _, first, _ in pairs]
    else:
        found = [columns.cells(second, walk.v2.read) for _, _, second in pairs]
    return list(zip(*found, strict=True))


def _dtypes(walk: Walk, pairs: list[tuple[Place, Tree, Tree]]) -> None:
    for here, first, second in pairs:
        if first["dtype"] != second["dtype"]:
            walk.about(first["dtype"], second["dtype"], here.attribute("dtype"), "type")


def _aligned_rows(walk: Walk, pairs: list[tuple[Place, Tree, Tree]], place: Place) -> None:
    """Frames of unequal length: an inserted row is one difference."""
    _dtypes(walk, pairs)
    rows1, rows2 = _rows(walk, pairs, 0), _rows(walk, pairs, 1)
    trees1, trees2 = [_tuple(row) for row in rows1], [_tuple(row) for row in rows2]
    found = align([_row_signature(r) for r in rows1], [_row_signature(r) for r in rows2], trees1, trees2)
    for i, j in found.pairs:
        for (here, _, _), cell1, cell2 in zip(pairs, rows1[i], rows2[j], strict=True):
            walk.at(cell1, cell2, here.item(i))
    for index in found.only1:
        walk.one_side(trees1[index], place.item(index), True, "row only in v1")
    for index in found.only2:
        walk.one_side(trees2[index], place.item(index), False, "row only in v2")


def _unordered_rows(walk: Walk, pairs: list[tuple[Place, Tree, Tree]], place: Place, key: str | None) -> None:
    _dtypes(walk, pairs)
    names = [here.steps[-1] for here, _, _ in pairs]
    rows1, rows2 = _rows(walk, pairs, 0), _rows(walk, pairs, 1)
    if not key or key not in names:
        trees1, trees2 = [_tuple(row) for row in rows1], [_tuple(row) for row in rows2]
        multisets(walk, list(enumerate(trees1)), list(enumerate(trees2)), place, place.item)
        return
    position = names.index(key)
    waiting: dict[str, list[tuple[Tree, ...]]] = {}
    for row in rows2:
        waiting.setdefault(signature(row[position]), []).append(row)
    for row in rows1:
        shown = f"{key}={render(row[position], limit=40)}"
        partners = waiting.get(signature(row[position]))
        if not partners:
            walk.one_side(_tuple(row), place.item(shown), True, "row only in v1")
            continue
        partner = partners.pop(0)
        for (here, _, _), cell1, cell2 in zip(pairs, row, partner, strict=True):
            walk.at(cell1, cell2, here.item(shown))
    for partners in waiting.values():
        for row in partners:
            shown = f"{key}={render(row[position], limit=40)}"
            walk.one_side(_tuple(row), place.item(shown), False, "row only in v2")


def _tuple(members: Iterable[Tree]) -> Tree:
    found = list(members)
    whole = {"t": "tuple", "n": len(found), "v": found}
    if any(map(opaque_inside, found)):
        whole["o"] = 1
    whole["d"] = _row_signature(found)
    return whole


def _row_signature(row: Iterable[Tree]) -> str:
    return "\x00".join(map(signature, row))
