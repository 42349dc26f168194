"""Trees as plain Python values, for the comparator that a user writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from equivalence.compare import columns
from equivalence.compare.columns import Read
from equivalence.compare.tree import Tree
from equivalence.inside.values import decode


def plain(tree: Tree, shared: Mapping[str, Tree], read: Read) -> Any:
    """Plain values again; objects as dicts of attributes, frames as dicts of lists, the rest as its tree."""
    if not isinstance(tree, dict):
        return tree
    name = tree["t"]
    if name == "ref":
        return plain(shared[tree["d"]], shared, read)
    if name in ("list", "tuple", "deque"):
        members = [plain(member, shared, read) for member in tree["v"]]
        return tuple(members) if name == "tuple" else members
    if name == "dict" and "v" in tree:
        return {key: plain(member, shared, read) for key, member in tree["v"].items()}
    if name in ("object", "model", "namedtuple"):
        attributes = {key: plain(member, shared, read) for key, member in tree["v"].items()}
        if "base" not in tree:
            return attributes
        return plain(tree["base"], shared, read)
    if name == "enum":
        return plain(tree["v"], shared, read)
    if name == "frame":
        return {
            plain(column["name"], shared, read): _cells(column["column"], shared, read) for column in tree["columns"]
        }
    if name in ("series", "array"):
        return _cells(tree["column"], shared, read)
    try:
        return decode(tree, dict(shared))
    except (ValueError, KeyError, TypeError):
        return tree


def _cells(column: Mapping[str, Any], shared: Mapping[str, Tree], read: Read) -> list[Any]:
    return [plain(cell, shared, read) for cell in columns.cells(column, read)]
