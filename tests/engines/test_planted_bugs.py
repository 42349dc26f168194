"""Every planted bug is found by cases that the tool made itself, at its place, with a small case and its cause."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from equivalence import catalogue
from equivalence.judge import Identity
from equivalence.session import Session
from tests import planted_table
from tests.planted import PLANTED, PlantedBug

pytestmark = pytest.mark.engines

UNEXPLAINED = {bug.name for bug in PLANTED if bug.rule is None}
"""Bugs that lie in a task's own code, or in one task's outcome: no change of the engine explains them."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """One session over all planted bugs: each worker starts once."""
    session = planted_table.open_session(tmp_path_factory.mktemp("planted").resolve())
    yield session
    session.close()


def test_every_bug_is_a_pair_of_its_own(session: Session) -> None:
    """The project pairs each bug's two files by their name, and nothing is left over."""
    files = {Path(pair.v1.file).stem for pair in session.pairing.pairs}
    assert files == set(map(planted_table.module, PLANTED))
    assert (session.pairing.unpaired, session.pairing.ambiguous, session.broken) == ((), (), ())


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(session: Session, bug: PlantedBug) -> None:
    """The finding has the right kind and place, is confirmed, is explained, and its smallest case is small."""
    result = planted_table.check(session, bug)
    finding = planted_table.expected(bug, result)
    assert finding is not None, planted_table.row(bug, result)
    assert result.noise == ()
    assert finding.confirmed
    if bug.path_hint is not None and bug.task is not None:
        hint = Identity.of(finding.difference).path
        wanted = planted_table.without_indexes(bug.path_hint)
        assert hint == wanted or hint.startswith((wanted + ".", wanted + "["))
    elif bug.path_hint is not None:
        assert bug.path_hint in f"{finding.difference.path}: {finding.difference.v2}"
    assert finding.rule == bug.rule
    assert finding.rule is None or catalogue.by_id(finding.rule) is not None
    assert len(finding.case.parameters) <= bug.parameters
    assert bug.smallest in (None, finding.case.show())


def test_most_bugs_are_explained() -> None:
    """Nine in ten have a rule."""
    assert len(UNEXPLAINED) <= len(PLANTED) // 10
