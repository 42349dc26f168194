"""Type descriptions as sets of values: the part that can be told, its bounds, membership."""

from __future__ import annotations

import datetime
import decimal
import math
import pathlib
import re
import uuid
from collections.abc import Callable
from typing import Any

from equivalence.descriptions import TypeDescription
from equivalence.inside import values

UTC = datetime.timezone.utc
SMALLEST_INT, LARGEST_INT = -(2**63), 2**63 - 1
"""Prefect 2.20.26 refuses flow parameters over 64 bits ("Integer exceeds 64-bit range", its API client)."""

BOOL_WORDS = ("false", "true", "no", "yes", "off", "on", "0", "1")
"""Texts that pydantic reads as a bool."""

SEQUENCES: dict[str, Callable[[Any], Any]] = {
    "list": list,
    "set": set,
    "frozenset": frozenset,
    "tuple_of": tuple,
}


def told(kind: TypeDescription, top: bool = True) -> TypeDescription | None:
    """The part of a description that can be drawn; None when that is nothing.

    At the top `any` tells nothing, since few flows take anything; inside a container it is JSON data.
    """
    name = kind["type"]
    if name == "unknown" or (name == "any" and top):
        return None
    if name == "any":
        return kind
    if name == "union":
        options = [option for option in (told(option, top) for option in kind["options"]) if option is not None]
        if not options or all(option["type"] == "none" for option in options):
            return None  # Optional[<what cannot be told>] would only ever be None
        return {**kind, "options": options}
    if name in ("literal", "enum"):
        return kind if kind["values"] and _plain(kind["values"]) else None
    if name in SEQUENCES:
        items = told(kind["items"], False)
        return None if items is None else {**kind, "items": items}
    if name == "tuple":
        members = [told(item, False) for item in kind["items"]]
        return None if None in members else {**kind, "items": members}
    if name == "dict":
        keys, held = told(kind["keys"], False), told(kind["values"], False)
        return None if keys is None or held is None else {**kind, "keys": keys, "values": held}
    if name == "model":
        fields = {}
        for key, entry in kind["fields"].items():
            inner = told(entry["type"], False)
            if inner is not None:
                fields[key] = {**entry, "type": inner}
            elif entry["required"]:
                return None
        return {**kind, "fields": fields}
    if name == "str" and "pattern" in kind and regex(kind["pattern"]) is None:
        return None
    return kind


def _plain(trees: Any) -> bool:
    try:
        for tree in trees:
            values.decode(tree)
    except ValueError:
        return False
    return True


def regex(pattern: str) -> re.Pattern[str] | None:
    """Pydantic 2 reads patterns as Rust does: there `$` is the very end, never before a last newline."""
    try:
        return re.compile(re.sub(r"(?<!\\)\$", r"\\Z", pattern))
    except re.error:
        return None


def options(kind: TypeDescription) -> list[TypeDescription]:
    """The members of a union, or the type itself."""
    return list(kind["options"]) if kind["type"] == "union" else [kind]


def bound(kind: TypeDescription, name: str) -> Any:
    """A bound of a description as a Python value, None when there is none."""
    return values.decode(kind[name]) if kind.get(name) is not None else None


def hashable(kind: TypeDescription) -> TypeDescription:
    """The type as a member of a set or a key: `any` is then an int or a str."""
    return {"type": "union", "options": [{"type": "int"}, {"type": "str"}]} if kind["type"] == "any" else kind


def accepts(kind: TypeDescription, value: Any) -> bool:
    """Whether the value is of the type: strictly, so a bool is no int and an int no float."""
    name = kind["type"]
    if name == "any":
        return True
    if name == "union":
        return any(accepts(option, value) for option in kind["options"])
    if name in ("literal", "enum"):
        mark = values.encode(value)["digest"]
        return any(values.encode(values.decode(tree))["digest"] == mark for tree in kind["values"])
    if name == "text":
        return isinstance(value, str) and (kind["of"]["type"] != "bool" or value in BOOL_WORDS)
    if name in SEQUENCES:
        if type(value) is not SEQUENCES[name] or not _long_enough(kind, value):
            return False
        marks = {values.encode(item)["digest"] for item in value} if kind.get("unique") else value
        return len(marks) == len(value) and all(accepts(kind["items"], item) for item in value)
    if name == "tuple":
        wanted = "list" if kind.get("as") == "list" else "tuple"
        fits = type(value).__name__ == wanted and len(value) == len(kind["items"])
        return fits and all(accepts(item, member) for item, member in zip(kind["items"], value, strict=True))
    if name == "dict":
        entries = value.items() if isinstance(value, dict) and _long_enough(kind, value) else None
        return entries is not None and all(
            accepts(hashable(kind["keys"]), key) and accepts(kind["values"], held) for key, held in entries
        )
    if name == "model":
        fields = kind["fields"]
        return (
            isinstance(value, dict)
            and all(key in value for key, entry in fields.items() if entry["required"])
            and all(key in fields and accepts(fields[key]["type"], held) for key, held in value.items())
        )
    if name == "path":
        return isinstance(value, pathlib.PurePath)
    return type(value) is _EXACT[name] and _within(kind, value)


_EXACT: dict[str, type] = {
    "none": type(None),
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "bytes": bytes,
    "decimal": decimal.Decimal,
    "datetime": datetime.datetime,
    "date": datetime.date,
    "time": datetime.time,
    "timedelta": datetime.timedelta,
    "uuid": uuid.UUID,
}


def _long_enough(kind: TypeDescription, value: Any) -> bool:
    return len(value) >= (kind.get("min") or 0) and (kind.get("max") is None or len(value) <= kind["max"])


def _within(kind: TypeDescription, value: Any) -> bool:
    if isinstance(value, str | bytes):
        longest = kind.get("max_length")
        pattern = regex(kind["pattern"]) if "pattern" in kind else None
        return (
            len(value) >= (kind.get("min_length") or 0)
            and (longest is None or len(value) <= longest)
            and (pattern is None or pattern.search(str(value)) is not None)
        )
    if type(value) is int and not SMALLEST_INT <= value <= LARGEST_INT:
        return False
    if kind.get("finite") and not math.isfinite(value):
        return False
    if isinstance(value, datetime.datetime) and "aware" in kind and (value.utcoffset() is not None) != kind["aware"]:
        return False
    if isinstance(value, decimal.Decimal) and not (value.is_finite() and _digits_fit(kind, value)):
        return False
    try:
        low, above, high, below = (bound(kind, name) for name in ("ge", "gt", "le", "lt"))
        inside = (low is None or value >= low) and (above is None or value > above)
        inside = inside and (high is None or value <= high) and (below is None or value < below)
        step = bound(kind, "multiple_of")
        return inside and (step is None or _multiple(value, step))
    except TypeError:
        return False  # a naive moment against an aware bound


def _digits_fit(kind: TypeDescription, value: decimal.Decimal) -> bool:
    _, digits, exponent = value.as_tuple()
    places = max(0, -int(exponent))
    whole = max(len(digits) - places, 0) + max(0, int(exponent))
    limit, most = kind.get("max_digits"), kind.get("decimal_places")
    return (limit is None or max(whole + places, len(digits)) <= limit) and (most is None or places <= most)


def _multiple(value: Any, step: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value) and abs(value / step - round(value / step)) < 1e-9
    return bool(value % step == 0)
