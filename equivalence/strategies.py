"""The part of a type description that can be told → the Hypothesis strategy that draws its values."""

from __future__ import annotations

import datetime
import decimal
import math
import pathlib
import string
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from equivalence.descriptions import TypeDescription
from equivalence.domains import BOOL_WORDS, LARGEST_INT, SEQUENCES, SMALLEST_INT, UTC, accepts, bound, hashable, regex
from equivalence.inside import values

MAX_TEXT = 50
MAX_ITEMS = 8
_EARLIEST = datetime.datetime(1900, 1, 1)
_LATEST = datetime.datetime(2100, 12, 31, 23, 59, 59, 999999)


def json_like() -> st.SearchStrategy[Any]:
    """JSON data, for `Any` inside of a container."""
    leaves = st.none() | st.booleans() | _integers({}) | st.floats(allow_nan=False) | st.text(max_size=20)
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    )


def strategy(kind: TypeDescription) -> st.SearchStrategy[Any]:
    """Hypothesis's strategy for a description that is told; InvalidArgument if bounds exclude all."""
    return _STRATEGIES[kind["type"]](kind)


def _integers(kind: TypeDescription) -> st.SearchStrategy[Any]:
    low, high = _whole_bounds(kind)
    step = bound(kind, "multiple_of")
    if step is not None:
        step = max(1, int(step))
        low, high = -((-low) // step), high // step
    wide = st.integers(low, high)
    near_low, near_high = max(-10, low), min(100, high)
    drawn = st.integers(near_low, near_high) | wide if near_low <= near_high else wide
    return drawn if step is None else drawn.map(lambda count: count * step)


def _whole_bounds(kind: TypeDescription) -> tuple[int, int]:
    lows = [SMALLEST_INT, math.ceil(bound(kind, "ge"))] if kind.get("ge") is not None else [SMALLEST_INT]
    lows += [math.floor(bound(kind, "gt")) + 1] if kind.get("gt") is not None else []
    highs = [LARGEST_INT, math.floor(bound(kind, "le"))] if kind.get("le") is not None else [LARGEST_INT]
    highs += [math.ceil(bound(kind, "lt")) - 1] if kind.get("lt") is not None else []
    return max(lows), min(highs)


def _floats(kind: TypeDescription) -> st.SearchStrategy[Any]:
    if kind.get("multiple_of") is not None:
        step = float(bound(kind, "multiple_of"))
        return st.integers(-1000, 1000).map(lambda count: count * step).filter(lambda value: accepts(kind, value))
    low, high, above, below = (bound(kind, name) for name in ("ge", "le", "gt", "lt"))
    bounded = {name: float(value) for name, value in (("min_value", low), ("max_value", high)) if value is not None}
    if above is not None and (low is None or above >= low):
        bounded["min_value"] = math.nextafter(float(above), math.inf)
    if below is not None and (high is None or below <= high):
        bounded["max_value"] = math.nextafter(float(below), -math.inf)
    if kind.get("finite"):
        return st.floats(**bounded, allow_nan=False, allow_infinity=False)  # type: ignore[arg-type]
    return st.floats(**bounded)  # type: ignore[arg-type]


def _text(kind: TypeDescription) -> st.SearchStrategy[Any]:
    shortest, longest = kind.get("min_length") or 0, kind.get("max_length")
    if "pattern" in kind:
        pattern = regex(kind["pattern"])
        assert pattern is not None, "told() lets no broken pattern through"
        return st.from_regex(pattern).filter(lambda text: accepts(kind, text))
    longest = max(MAX_TEXT, shortest) if longest is None else min(longest, max(MAX_TEXT, shortest))
    drawn = st.text(min_size=shortest, max_size=longest)
    if "reads" in kind:  # a default that reads as a date is there for a flow that reads dates
        return strategy({"type": "text", "of": READS[kind["reads"]]}) | drawn
    return drawn


READS: dict[str, TypeDescription] = {
    "date": {"type": "date"},
    "datetime": {"type": "datetime"},
    "int": {"type": "int"},
}


def _ranged(
    make: Callable[..., st.SearchStrategy[Any]], lowest: Any, highest: Any
) -> Callable[[TypeDescription], st.SearchStrategy[Any]]:
    def build(kind: TypeDescription) -> st.SearchStrategy[Any]:
        lows = [bound(kind, name) for name in ("ge", "gt") if name in kind]
        highs = [bound(kind, name) for name in ("le", "lt") if name in kind]
        low, high = (max(lows) if lows else lowest), (min(highs) if highs else highest)
        zone = getattr(low, "tzinfo", None) or getattr(high, "tzinfo", None)
        if isinstance(lowest, datetime.datetime):
            low, high = (value.replace(tzinfo=None) for value in (low, high))
        drawn = make(low, high)
        if isinstance(lowest, datetime.datetime) and (zone or kind.get("aware", True)):
            drawn = drawn.map(lambda value: value.replace(tzinfo=zone or UTC))
        bounded = any(name in kind for name in ("ge", "gt", "le", "lt"))
        return drawn.filter(lambda value: accepts(kind, value)) if bounded else drawn

    return build


def _decimals(kind: TypeDescription) -> st.SearchStrategy[Any]:
    places, digits = kind.get("decimal_places"), kind.get("max_digits")
    places = min(4, digits or 4) if places is None else places
    whole = 10 ** max(0, (digits or 12) - places)
    lows = [decimal.Decimal(str(bound(kind, name))) for name in ("ge", "gt") if kind.get(name) is not None]
    highs = [decimal.Decimal(str(bound(kind, name))) for name in ("le", "lt") if kind.get(name) is not None]
    low, high = max([*lows, decimal.Decimal(1 - whole)]), min([*highs, decimal.Decimal(whole - 1)])
    drawn = st.decimals(low, high, allow_nan=False, allow_infinity=False, places=places)
    return drawn.filter(lambda value: accepts(kind, value))


def _sized(kind: TypeDescription) -> dict[str, Any]:
    shortest = kind.get("min") or 0
    longest = max(MAX_ITEMS, shortest)
    return {
        "min_size": shortest,
        "max_size": longest if kind.get("max") is None else min(longest, kind["max"]),
    }


def _collection(kind: TypeDescription) -> st.SearchStrategy[Any]:
    make = SEQUENCES[kind["type"]]
    if kind["type"] in ("set", "frozenset") or kind.get("unique"):
        items = strategy(hashable(kind["items"]))
        return st.lists(items, unique=True, **_sized(kind)).map(make)
    return st.lists(strategy(kind["items"]), **_sized(kind)).map(make)


def _dicts(kind: TypeDescription) -> st.SearchStrategy[Any]:
    return st.dictionaries(strategy(hashable(kind["keys"])), strategy(kind["values"]), **_sized(kind))


def _model(kind: TypeDescription) -> st.SearchStrategy[Any]:
    fields = kind["fields"].items()
    return st.fixed_dictionaries(
        {key: strategy(entry["type"]) for key, entry in fields if entry["required"]},
        optional={key: strategy(entry["type"]) for key, entry in fields if not entry["required"]},
    )


def spell(kind: TypeDescription, value: Any) -> str:
    """A value of the type as the text that an API call or a Prefect 1 default would write for it."""
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, float):
        return repr(value)
    return value.as_posix() if isinstance(value, pathlib.PurePath) else str(value)


def _spelled(kind: TypeDescription) -> st.SearchStrategy[Any]:
    if kind["of"]["type"] == "bool":
        return st.sampled_from(BOOL_WORDS)
    return strategy(kind["of"]).map(lambda value: spell(kind["of"], value))


def _members(kind: TypeDescription) -> st.SearchStrategy[Any]:
    return st.sampled_from(kind["values"]).map(values.decode)


def _path(kind: TypeDescription) -> st.SearchStrategy[Any]:
    part = st.text(string.ascii_lowercase + string.digits + "_", min_size=1, max_size=8)
    return st.lists(part, min_size=1, max_size=4).map(lambda parts: pathlib.Path(*parts))


_STRATEGIES: dict[str, Callable[[TypeDescription], st.SearchStrategy[Any]]] = {
    "none": lambda kind: st.none(),
    "bool": lambda kind: st.booleans(),
    "int": _integers,
    "float": _floats,
    "str": _text,
    "bytes": lambda kind: st.binary(
        min_size=kind.get("min_length") or 0,
        max_size=kind.get("max_length") or max(MAX_TEXT, kind.get("min_length") or 0),
    ),
    "decimal": _decimals,
    "datetime": _ranged(st.datetimes, _EARLIEST, _LATEST),
    "date": _ranged(st.dates, _EARLIEST.date(), _LATEST.date()),
    "time": _ranged(st.times, datetime.time.min, datetime.time.max),
    "timedelta": _ranged(st.timedeltas, datetime.timedelta(-36500), datetime.timedelta(36500)),
    "uuid": lambda kind: st.uuids(),
    "path": _path,
    "list": _collection,
    "set": _collection,
    "frozenset": _collection,
    "tuple_of": _collection,
    "tuple": lambda kind: st.tuples(*[strategy(item) for item in kind["items"]]).map(
        list if kind.get("as") == "list" else tuple
    ),
    "dict": _dicts,
    "model": _model,
    "union": lambda kind: st.one_of(
        # None first: Hypothesis shrinks towards the first, and None is the simplest thing to be given.
        [strategy(option) for option in sorted(kind["options"], key=lambda option: option["type"] != "none")]
    ),
    "literal": _members,
    "enum": _members,
    "any": lambda kind: json_like(),
    "text": _spelled,
}
