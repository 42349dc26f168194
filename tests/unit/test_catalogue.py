"""The catalogue and its table: every rule can be read, is exercised, and the page of rows is what it says."""

from __future__ import annotations

import pytest

from equivalence import catalogue
from equivalence.errors import UsageProblem
from equivalence.report import rules
from tests import rows_table
from tests.planted import PLANTED

UNPLANTED: frozenset[str] = frozenset()
"""Rules that no planted bug exercises."""


def test_the_page_of_rows_is_up_to_date() -> None:
    """``docs/rows.md`` is what ``python -m tests.rows_table`` writes."""
    assert rows_table.TABLE.read_text(encoding="utf-8") == rows_table.text()


def test_rule_ids_are_unique_and_name_a_row() -> None:
    """A rule is found by its id, and stands in a row of the guide."""
    ids = [rule.id for rule in catalogue.RULES]
    assert len(set(ids)) == len(ids)
    assert {rule.row for rule in catalogue.RULES} <= set(catalogue.ROWS)


def test_there_are_enough_rules() -> None:
    """The catalogue holds 40 rules and more."""
    assert len(catalogue.RULES) >= 40


@pytest.mark.parametrize("rule", catalogue.RULES, ids=lambda rule: rule.id)
def test_a_rule_can_be_read(rule: catalogue.Rule) -> None:
    """Title, cause, fix and reading are there, the title a line, the cause some two sentences."""
    assert 0 < len(rule.title) <= 80
    assert not rule.title.endswith(".")
    assert rule.cause.endswith((".", ")"))
    assert 40 <= len(rule.cause) <= 420
    assert min(len(rule.fix), len(rule.docs)) > 0
    assert rule.id in rules.explanation(rule.id)


def test_every_rule_is_exercised_by_a_planted_bug() -> None:
    """No rule is there that no bug needs."""
    exercised = {bug.rule for bug in PLANTED}
    assert {rule.id for rule in catalogue.RULES} - exercised == UNPLANTED


def test_every_row_is_shown_proved_and_explained() -> None:
    """Each row has a pair, two planted bugs and a rule."""
    missing = {
        row: (bool(rows_table.pairs_of(row)), sum(bug.guide_row == row for bug in PLANTED))
        for row in catalogue.ROWS
        if not rows_table.pairs_of(row) or sum(bug.guide_row == row for bug in PLANTED) < 2
    }
    assert missing == {}
    assert set(catalogue.ROWS) - {rule.row for rule in catalogue.RULES} == set()


def test_nine_bugs_in_ten_are_explained() -> None:
    """What the engines do otherwise has a rule."""
    explained = sum(bug.rule is not None for bug in PLANTED)
    assert explained >= 0.9 * len(PLANTED)


def test_an_unknown_rule_is_refused_with_the_nearest() -> None:
    """The message names what was meant, and how to list all."""
    with pytest.raises(UsageProblem, match=r"no rule 'retries-of-by-one'; did you mean 'retries-off-by-one'\?.*=all"):
        rules.explanation("retries-of-by-one")


def test_all_rules_are_listed_below_their_rows() -> None:
    """``all`` names every rule once."""
    listed = rules.explanation("all")
    assert all(listed.count(f"  {rule.id} ") == 1 for rule in catalogue.RULES)
