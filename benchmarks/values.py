"""Comparing two results of a million rows, or of 100,000 small dicts, against encoding them."""

from __future__ import annotations

import copy
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.table import Row, ratio
from equivalence.compare.rules import ValueRules
from equivalence.compare.tree import Value
from equivalence.compare.values import compare_values
from equivalence.inside import values

TIMES = 3


def rows() -> list[Row]:
    """Equal, and different in one place, for each kind of result; the path must be exact."""
    import numpy
    import pandas

    frame = pandas.DataFrame(
        {
            "id": numpy.arange(1_000_000),
            "amount": numpy.arange(1_000_000) * 0.5,
            "flag": numpy.arange(1_000_000) % 2 == 0,
        }
    )

    def change_frame(value: Any) -> str:
        value.loc[777_777, "amount"] = -1.0
        return 'result["amount"][777777]'

    def change_ints(value: Any) -> str:
        value[777_777] = -1
        return "result[777777]"

    def change_dicts(value: Any) -> str:
        value[77_777]["total"] = -1
        return "result[77777].total"

    dicts = [{"id": index, "name": f"order {index}", "total": index * 2} for index in range(100_000)]
    found: list[Row] = []
    for name, value, change in (
        ("frame of a million rows", frame, change_frame),
        ("a million ints", list(range(1_000_000)), change_ints),
        ("100,000 small dicts", dicts, change_dicts),
    ):
        found.extend(_measure(name, value, change))
    return found


def _measure(name: str, value: Any, change: Callable[[Any], str]) -> list[Row]:
    other = copy.deepcopy(value)
    changed = copy.deepcopy(value)
    path = change(changed)
    with tempfile.TemporaryDirectory(prefix="equivalence-bench-") as folder:
        encoding: list[float] = []
        encoded = []
        for index, item in enumerate((value, other, changed)):
            spool = values.Spool(str(Path(folder) / str(index)))
            began = time.perf_counter()
            envelope = values.encode(item, spool)
            encoding.append(time.perf_counter() - began)
            encoded.append(Value.from_envelope(envelope, _reader(Path(folder) / str(index))))
        cost = statistics.median(encoding)
        equal, one = _compare(encoded[0], encoded[1]), _compare(encoded[0], encoded[2])
    assert not equal[1], equal[1]
    assert [difference.path for difference in one[1]] == [path], one[1]
    return [
        ratio(f"{name}: compare equal / encode", equal[0], cost, at_most=2),
        ratio(f"{name}: compare with one change / encode", one[0], cost, at_most=2),
    ]


def _compare(v1: Value, v2: Value) -> tuple[float, Any]:
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        comparison = compare_values(v1, v2, path="result", rules=ValueRules())
        taken.append(time.perf_counter() - began)
    return statistics.median(taken), comparison.differences


def _reader(path: Path) -> Callable[[int, int], bytes]:
    def read(offset: int, length: int) -> bytes:
        with open(path, "rb") as file:
            file.seek(offset)
            return file.read(length)

    return read
