"""Rows of the benchmark's table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One claim: what was measured, against what, the ratio or figure, and its bound."""

    what: str
    measured: str
    against: str
    figure: float
    bound: str
    holds: bool


def ratio(what: str, ours: float, theirs: float, *, at_most: float, unit: str = "s") -> Row:
    """A row that claims ``ours / theirs <= at_most``."""
    figure = ours / theirs
    return Row(what, f"{ours:.3g} {unit}", f"{theirs:.3g} {unit}", figure, f"≤ {at_most:g}", figure <= at_most)


def show(rows: list[Row]) -> None:
    """Print the table."""
    width = max(len(row.what) for row in rows)
    print(f"{'':<{width}}  {'measured':>12}  {'against':>12}  {'ratio':>7}  bound")
    for row in rows:
        sign = "" if row.holds else "   <-- over"
        print(f"{row.what:<{width}}  {row.measured:>12}  {row.against:>12}  {row.figure:>7.2f}  {row.bound}{sign}")
