"""Columns of arrays and frames: which cells differ, found by the digests of blocks."""

from __future__ import annotations

import base64
import datetime
import json
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from equivalence.compare.tree import Tree, unequal

Read = Callable[[int, int], bytes]
Column = Mapping[str, Any]

_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1, "D": 86_400_000_000}
_NAT = -(2**63)


def block(column: Column, number: int, read: Read) -> list[Tree]:
    """The values of one block as trees."""
    inline = column.get("data")
    data = base64.b64decode(inline[number]) if inline is not None else read(*column["at"][number])
    if column["how"] == "json":
        found: list[Tree] = json.loads(data)
        return found
    code = column["how"].removeprefix("raw:")
    values = list(struct.unpack(f"<{len(data) // struct.calcsize('<' + code)}{code}", data))
    if column["dtype"].startswith(("datetime64", "timedelta64")):
        return [moment(value, column["dtype"]) for value in values]
    return values


def moment(value: int, dtype: str) -> Tree:
    """The tree of one cell of a datetime64 or timedelta64 column."""
    if value == _NAT:
        return {"t": "object", "c": "NaT", "d": "0" * 32, "n": 0, "v": {}}
    unit = dtype.partition("[")[2].partition(",")[0].rstrip("]")
    exact = {"t": dtype.partition("[")[0], "v": [value, unit]}
    micro, rest = divmod(value, 1000) if unit == "ns" else (value * _UNITS.get(unit, 0), 0)
    if rest or (unit != "ns" and unit not in _UNITS):
        return exact
    try:
        if dtype.startswith("timedelta64"):
            span = datetime.timedelta(microseconds=micro)
            return {"t": "timedelta", "v": [span.days, span.seconds, span.microseconds]}
        start = datetime.datetime(1970, 1, 1)
        return {"t": "datetime", "v": (start + datetime.timedelta(microseconds=micro)).isoformat()}
    except OverflowError:
        return exact


def cells(column: Column, read: Read) -> list[Tree]:
    """Every value of a column."""
    found: list[Tree] = []
    for number in range(len(column["blocks"])):
        found += block(column, number, read)
    return found


def cell(column: Column, row: int, read: Read) -> Tree:
    """One value of a column."""
    number, rest = divmod(row, column["size"])
    return block(column, number, read)[rest]


def differing(one: Column, other: Column, read1: Read, read2: Read) -> Iterator[tuple[int, Tree, Tree]]:
    """Row and both values wherever two columns differ, as far as both reach."""
    comparable = one["how"] == other["how"] and one["dtype"] == other["dtype"] and "o" not in one and "o" not in other
    for number in range(min(len(one["blocks"]), len(other["blocks"]))):
        if comparable and one["blocks"][number] == other["blocks"][number]:
            continue
        first, second = block(one, number, read1), block(other, number, read2)
        length = min(len(first), len(second))
        for index in unequal(first[:length], second[:length]):
            yield number * one["size"] + index, first[index], second[index]
