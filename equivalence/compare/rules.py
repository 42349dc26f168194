"""What the user sets aside in values: patterns of paths, each with what it allows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from equivalence.compare.paths import Place, covers
from equivalence.compare.tree import Tree

Comparator = Callable[[str, Any, Any], "bool | None"]


@dataclass(frozen=True, slots=True)
class ValueRules:
    """What the user set aside. Patterns are paths in which ``*`` stands for any one key or index."""

    ignore: tuple[str, ...] = ()
    tolerance: Mapping[str, float] = field(default_factory=dict)
    unordered: Mapping[str, str | None] = field(default_factory=dict)
    comparator: Comparator | None = None


def is_ignored(path: str, rules: ValueRules) -> str | None:
    """The pattern of ``ignore`` that covers a path, or None."""
    place = Place.at(path)
    return next((pattern for pattern in rules.ignore if covers(pattern, place.steps)), None)


def length(pattern: str) -> int:
    """How many steps a pattern has."""
    return len(Place.at(pattern).steps)


def as_number(tree: Tree) -> float | int | None:
    """The number that a node is, None where it is none."""
    if isinstance(tree, bool):
        return None
    if isinstance(tree, int | float):
        return tree
    if isinstance(tree, dict) and tree["t"] == "decimal":
        return float(tree["v"])
    return None


def close(one: float | int, other: float | int, tolerance: float) -> bool:
    """Whether two numbers are as close as a tolerance asks, relative or absolute."""
    try:
        return (one != one and other != other) or math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)
    except OverflowError:
        return False
