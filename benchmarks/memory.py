"""Resident memory of the host and of both workers over 500 cases of the longest portfolio pair."""

from __future__ import annotations

import psutil

from benchmarks.cases import ROOT
from benchmarks.table import Row
from equivalence.check import PairCheck
from equivalence.config import Overrides
from equivalence.session import Session

PAIR = "whole_month_end_close"
CASES = 500
SETTLED = 100
BOUNDS = {"host": 300, "v1": 300, "v2": 600}


def rows() -> list[Row]:
    """Megabytes at the end, and their growth since the first hundred cases."""
    session = Session.open(ROOT, ROOT / "pyproject.toml", Overrides(examples=CASES, budget=3600, shrink=0), print)
    samples: dict[int, dict[str, float]] = {}

    def sample(text: str) -> None:
        count = int(text.split()[0])
        if count in (SETTLED, CASES) or count % 50 == 0:
            samples[count] = _megabytes(session)
            print(count, samples[count], flush=True)

    try:
        pair = session.pair(PAIR)
        descriptions = (session.described["v1"].flows[pair.v1], session.described["v2"].flows[pair.v2])
        result = PairCheck(pair, descriptions, session.sides, shrink=0, progress=sample).run()
        last = max(samples)
        print(f"{result.cases} cases, {result.verdict}")
    finally:
        session.close()
    found = []
    for name, bound in BOUNDS.items():
        end, settled = samples[last][name], samples[SETTLED][name]
        found.append(Row(f"{name}: MB after {last} cases", f"{end:.0f} MB", "", end, f"≤ {bound}", end <= bound))
        grown = end / settled
        found.append(
            Row(
                f"{name}: after {last} / after {SETTLED}",
                f"{end:.0f} MB",
                f"{settled:.0f} MB",
                grown,
                "≤ 1.1",
                grown <= 1.1,
            )
        )
    return found


def _megabytes(session: Session) -> dict[str, float]:
    """Resident set sizes."""
    sizes = {"host": psutil.Process().memory_info().rss / 2**20}
    for side, worker in session.sides.workers.items():
        pid = int(worker.info["pid"])
        sizes[side] = psutil.Process(pid).memory_info().rss / 2**20
    return sizes
