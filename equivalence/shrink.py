"""Smaller cases than a given one, one step away: for cases that Hypothesis did not draw and so cannot shrink."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from equivalence.cases import Case


def smaller(case: Case) -> Iterator[Case]:
    """Cases with a parameter left out or its value made simpler, the boldest steps first."""
    for index, again in enumerate(case.again):
        rest = case.again[:index], case.again[index + 1 :]
        yield replace(case, again=(*rest[0], *rest[1]))
        if again.changed:
            yield replace(case, again=(*rest[0], replace(again, changed={}), *rest[1]))
        for name, value in again.changed.items():
            for simpler in simpler_values(value):
                yield replace(case, again=(*rest[0], replace(again, changed={name: simpler}), *rest[1]))
        # Gaps are drawn a second beside an expiry: one step is enough.
        for after in (0.0, again.after - 1.0) if again.after >= 1.0 else ():
            yield replace(case, again=(*rest[0], replace(again, after=after), *rest[1]))
    required = {shared.v1_name for shared in case.matching.shared if not shared.optional}
    if len(case.parameters) > 2:
        for name in case.parameters:
            yield replace(
                case, parameters={key: case.parameters[key] for key in case.parameters if key in {*required, name}}
            )
    for name in case.parameters:
        if name not in required:
            yield replace(case, parameters={key: value for key, value in case.parameters.items() if key != name})
    for name, value in case.parameters.items():
        for simpler in simpler_values(value):
            yield replace(case, parameters={**case.parameters, name: simpler})


def simpler_values(value: Any) -> Iterator[Any]:
    """Values of the same type that are shorter or nearer to zero."""
    if type(value) is int:
        yield from (step for step in (0, 1, -1, value // 10, value // 2, value - (value > 0) + (value < 0)))
    elif type(value) is float:
        whole = value == value and abs(value) < 2**53
        yield from (step for step in (0.0, 1.0, float(int(value)) if whole else 0.0, value / 2) if step != value)
    elif type(value) in (str, bytes, list, tuple):
        half = len(value) // 2
        yield from (value[:0], value[:half], value[half:])
        for index in range(min(len(value), 12)):
            yield value[:index] + value[index + 1 :]
        if type(value) is str and value.strip("0"):
            yield "0" * len(value)
            for index in range(min(len(value), 12)):
                yield f"{value[:index]}0{value[index + 1 :]}"
        if type(value) is list:
            for index, item in enumerate(value[:4]):
                for simpler in simpler_values(item):
                    yield [*value[:index], simpler, *value[index + 1 :]]
    elif type(value) is dict:
        for key in value:
            yield {other: item for other, item in value.items() if other != key}
