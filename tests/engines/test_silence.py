"""Silence: what is the same is not reported, over many cases of every portfolio pair and of every v1 flow with itself.

``EQUIVALENCE_SILENCE_CASES=200`` runs the full proof; without it each pair gets a number that suits a test run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from equivalence.check import PairCheck
from equivalence.config import Overrides
from equivalence.pairing import Pair
from equivalence.result import PairResult
from equivalence.session import Hooks, Session
from equivalence.sides import Sides

pytestmark = pytest.mark.engines

ROOT = Path(__file__).resolve().parents[2]
PORTFOLIO = sorted(path.stem for path in (ROOT / "flows_v1").glob("*.py"))
FULL = int(os.environ.get("EQUIVALENCE_SILENCE_CASES", "0"))
CASES = {"whole_month_end_close": 6}
"""Cases of a pair where not 12: this one runs two dozen tasks in each."""

FEW = {"g18_timeouts": 2}
"""Pairs of which there are not more cases than these."""

NO_HOOKS = Hooks(strategies=lambda pair: {}, comparator=lambda pair: None)


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """The portfolio's session, as ``pytest --equivalence`` opens it."""
    session = Session.open(ROOT, ROOT / "pyproject.toml", Overrides(), lambda text: None)
    yield session
    session.close()


@pytest.fixture(scope="module")
def twice_v1(session: Session) -> Iterator[Sides]:
    """Two workers of the old side."""
    spec = session.sides.workers["v1"].spec
    sides = Sides(spec, spec, run_timeout=session.settings.run_timeout, load_timeout=session.settings.load_timeout)
    sides.launch()
    yield sides
    sides.close()


def prepared(session: Session, name: str) -> Iterator[Pair]:
    """The pairs of a file, with the number of cases of this test and no limit of time."""
    for pair in (pair for pair in session.pairing.pairs if Path(pair.v1.file).stem == name):
        settings = replace(pair.settings, examples=FULL or CASES.get(name, 12), budget=3600.0, patience=0)
        yield replace(pair, settings=settings)


def assert_silent(result: PairResult, cases: int) -> None:
    """Nothing was found, nothing was passed over, and enough ran to say so."""
    print(f"\n{result.pair.name}: {result.cases} cases, {result.completed} completed, {result.seconds['wall']:.0f} s")
    assert [(finding.difference, finding.case.show()) for finding in result.findings] == []
    assert result.noise == ()
    assert (result.opaque, result.uncompared, result.ignored) == ((), (), {})
    assert result.verdict == "equivalent"
    assert result.stopped is None
    assert result.cases >= 0.8 * cases  # draws that repeat an earlier case are not run again


def test_the_session_pairs_the_whole_portfolio(session: Session) -> None:
    """Every portfolio file is a pair, and nothing is left over."""
    assert sorted({Path(pair.v1.file).stem for pair in session.pairing.pairs}) == PORTFOLIO
    assert (session.pairing.unpaired, session.pairing.ambiguous, session.broken) == ((), (), ())


@pytest.mark.parametrize("name", PORTFOLIO)
def test_a_portfolio_pair_is_silent(session: Session, name: str) -> None:
    """No case of a pair that was migrated right is a finding or noise."""
    for pair in prepared(session, name):
        result = session.check(pair, NO_HOOKS, lambda text: None).run()
        assert_silent(result, FEW.get(name, pair.settings.examples or 0))


@pytest.mark.parametrize("name", PORTFOLIO)
def test_a_v1_flow_is_equivalent_to_itself(session: Session, twice_v1: Sides, name: str) -> None:
    """The old flow on two workers gives the same traces."""
    for pair in prepared(session, name):
        flow = session.described["v1"].flows[pair.v1]
        itself = replace(pair, v2=pair.v1, settings=replace(pair.settings, tasks={}, parameters={}))
        check = PairCheck(itself, (flow, flow), twice_v1, shrink=0.0)
        assert_silent(check.run(), FEW.get(name, pair.settings.examples or 0))
