"""Values at the boundaries of a type description: zero, the empty, the longest, a leap day, every member."""

from __future__ import annotations

import copy
import datetime
import decimal
import math
import pathlib
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import find, settings

from equivalence.descriptions import TypeDescription
from equivalence.domains import (
    BOOL_WORDS,
    LARGEST_INT,
    SEQUENCES,
    SMALLEST_INT,
    UTC,
    accepts,
    bound,
    hashable,
)
from equivalence.inside import values
from equivalence.strategies import MAX_TEXT, READS, spell, strategy

_DAYS = (
    datetime.date(2000, 1, 1),
    datetime.date(2024, 2, 29),  # leap day
    datetime.date(2023, 12, 31),
    datetime.date(2024, 3, 31),  # clocks go forward in Europe
    datetime.date(2024, 11, 3),  # and back in the United States
)
_MOMENTS = (
    datetime.datetime(2000, 1, 1),
    datetime.datetime(2024, 2, 29, 12, 0),
    datetime.datetime(2023, 12, 31, 23, 59, 59, 999999),
    datetime.datetime(2024, 3, 31, 1, 30),  # 02:30 does not exist that day in Berlin
    datetime.datetime(2024, 11, 3, 6, 30),  # 01:30 comes twice that day in New York
)


def simplest(kind: TypeDescription) -> Any:
    """The plainest value of the type: the first of its edges. Raises LookupError when none is known."""
    for value in edges(kind):
        return value
    raise LookupError(f"no simple value of {kind['type']} is known")


def edges(kind: TypeDescription, default: Any = None) -> Iterator[Any]:
    """Values at the boundaries of the type, the simple ones first, all inside it; a default adds its own."""
    seen: list[tuple[str, str]] = []
    for value in _candidates(kind, default):
        if not accepts(kind, value):
            continue
        mark = (type(value).__name__, values.encode(value)["digest"])
        if mark not in seen:
            seen.append(mark)
            yield copy.deepcopy(value)


def outside(kind: TypeDescription) -> Iterator[Any]:
    """Values just beyond what an annotation declares: past a bound, too short or too long, no member.

    Of the right type all the same: Prefect 1 took them, and what it made of them is for a run to show.
    """
    name = kind["type"]
    if name == "union":
        for option in kind["options"]:
            yield from (value for value in outside(option) if not accepts(kind, value))
    elif name in ("literal", "enum"):
        members = [values.decode(tree) for tree in kind["values"]]
        if all(isinstance(member, str) for member in members):
            yield "none of these"
        elif all(type(member) is int for member in members):
            yield max(members) + 1
    elif name in _MAKE:
        make = _MAKE[name]
        beyond = {"ge": -1, "gt": 0, "le": 1, "lt": 0}
        for constraint, step in beyond.items():
            value = bound(kind, constraint)
            if value is not None:
                yield make(value) + step
    elif name == "str":
        if kind.get("min_length"):
            yield "a" * (kind["min_length"] - 1)
        if kind.get("max_length") is not None and kind["max_length"] < MAX_TEXT:
            yield "a" * (kind["max_length"] + 1)


def _candidates(kind: TypeDescription, default: Any) -> Iterator[Any]:
    name = kind["type"]
    if name == "union":
        plain = [option for option in kind["options"] if option["type"] != "none"]
        for option in plain:
            yield from edges(option, default)
        if len(plain) < len(kind["options"]):
            yield None
    elif name in ("literal", "enum"):
        yield from (values.decode(tree) for tree in kind["values"])
    elif name == "text":
        inner = BOOL_WORDS if kind["of"]["type"] == "bool" else edges(kind["of"])
        yield from (value if isinstance(value, str) else spell(kind["of"], value) for value in inner)
    elif name in ("int", "float", "decimal"):
        yield from _numbers(kind, default)
    elif name == "str":
        yield from _texts(kind, default)
    elif name in SEQUENCES or name == "tuple":
        yield from _lists(kind, default)
    elif name == "dict":
        yield {}
        pairs = zip(edges(hashable(kind["keys"])), edges(kind["values"]), strict=False)
        entries = [pair for pair, _ in zip(pairs, range(max(2, kind.get("min") or 0)), strict=False)]
        yield from (dict(entries[:count]) for count in range(1, len(entries) + 1))
    elif name == "model":
        yield from _models(kind)
    elif name == "datetime":
        zones = [None] if kind.get("aware") is False else [UTC]
        yield from (moment.replace(tzinfo=zone) for moment in _MOMENTS for zone in zones)
        yield from _at_bounds(kind)
    elif name == "bytes":
        yield from (b"", b"a", b"\xff\x00", b"a" * (kind.get("min_length") or 1))
    elif name == "any":
        yield from (0, "", None, [], {})
    else:
        yield from _FEW.get(name, ())
        yield from _at_bounds(kind)
    if default is not None and accepts(kind, default):
        yield default


_FEW: dict[str, tuple[Any, ...]] = {
    "none": (None,),
    "bool": (False, True),
    "date": _DAYS,
    "time": (datetime.time(0), datetime.time(12, 30), datetime.time(23, 59, 59, 999999)),
    "timedelta": (datetime.timedelta(0), datetime.timedelta(seconds=1), datetime.timedelta(days=-1)),
    "uuid": (uuid.UUID(int=0), uuid.UUID("12345678-1234-4234-8234-123456789abc")),
    "path": (pathlib.Path("a"), pathlib.Path("a/b.txt")),
}


def _at_bounds(kind: TypeDescription) -> Iterator[Any]:
    for name in ("ge", "le", "gt", "lt"):
        value = bound(kind, name)
        if value is not None:
            yield value


_MAKE: dict[str, Callable[[Any], Any]] = {
    "int": int,
    "float": float,
    "decimal": lambda number: decimal.Decimal(str(number)),
}


def _numbers(kind: TypeDescription, default: Any) -> Iterator[Any]:
    make = _MAKE[kind["type"]]
    steps = [make(bound(kind, "multiple_of"))] if kind.get("multiple_of") is not None else []
    yield from (make(number) for number in (0, 1, -1))
    for value in _at_bounds(kind):
        yield from (make(value), make(value) + 1, make(value) - 1)
    if steps:
        nearest = [make(value) // steps[0] * steps[0] for value in _at_bounds(kind)]
        yield from (start + count * steps[0] for start in [*nearest, make(0)] for count in (0, 1, -1))
    if accepts({"type": kind["type"]}, default) and default == default:
        yield from (default, default + 1, default - 1)
    if kind["type"] == "int":
        yield from (2**31, SMALLEST_INT, LARGEST_INT)
    else:
        yield from (make("1.5"), make("0.1"), make("-0.0"))
    if kind["type"] == "float":
        yield from (math.inf, math.nan)
        for low, high in ((bound(kind, "gt"), bound(kind, "lt")),):
            if low is not None and high is not None:
                yield (low + high) / 2


def _texts(kind: TypeDescription, default: Any) -> Iterator[Any]:
    if "pattern" in kind:
        yield find(
            strategy(kind),
            lambda text: True,
            settings=settings(database=None, max_examples=50, deadline=None),
        )
    if "reads" in kind:
        yield from edges({"type": "text", "of": READS[kind["reads"]]})
    yield from ("", "a", " ", "é✓")
    if isinstance(default, str):
        yield from (default, default.upper(), default.lower())
    yield "a" * (kind.get("min_length") or 1)
    yield "a" * min(kind.get("max_length") or MAX_TEXT, 1000)


def _lists(kind: TypeDescription, default: Any) -> Iterator[Any]:
    make = SEQUENCES.get(kind["type"], list if kind.get("as") == "list" else tuple)
    if kind["type"] == "tuple":
        columns = [list(edges(item)) for item in kind["items"]]
        for row in range(max([len(column) for column in columns], default=1)):
            yield make(column[row % len(column)] for column in columns)
        return
    items = [value for value, _ in zip(edges(kind["items"]), range(max(3, kind.get("min") or 0)), strict=False)]
    yield make([])
    if items:
        if not kind.get("unique") and make in (list, tuple):
            yield make([items[0]] * max(kind.get("min") or 0, 1))
            yield make([copy.deepcopy(items[-1]), copy.deepcopy(items[-1])])
        yield make(items[:1])
        yield make(items)
    if isinstance(default, list | tuple) and type(default) is make:
        yield from (default, default[:-1], default[::-1])


def _models(kind: TypeDescription) -> Iterator[Any]:
    chosen = {key: [v for v, _ in zip(edges(e["type"]), range(4), strict=False)] for key, e in kind["fields"].items()}
    if any(not found and kind["fields"][key]["required"] for key, found in chosen.items()):
        return
    least = {key: found[0] for key, found in chosen.items() if kind["fields"][key]["required"]}
    whole = {key: found[0] for key, found in chosen.items() if found}
    yield from (least, whole)
    for key, found in chosen.items():
        yield from ({**whole, key: value} for value in found[1:])
