"""Known behaviour changes between Prefect 1 and Prefect 2: how to recognise one, its cause, its fix.

Pure. A rule looks at one difference and the two traces it came from; the first that recognises itself explains it.
Each module holds the rules of a group of rows of the migration guide; within it the more special rule comes first.
"""

from __future__ import annotations

from equivalence.catalogue import (
    caching,
    control,
    declared,
    general,
    handlers,
    outcomes,
    parameters,
    retries,
    structure,
    subflows,
)
from equivalence.catalogue.rows import ROWS
from equivalence.catalogue.rule import Evidence, Rule
from equivalence.compare.states import Difference
from equivalence.compare.traces import Comparison
from equivalence.trace import Trace

__all__ = ["ROWS", "RULES", "Evidence", "Rule", "by_id", "explain", "explain_declared"]

RULES: tuple[Rule, ...] = (
    *parameters.RULES,
    *retries.RULES,
    *caching.RULES,
    *structure.RULES,
    *handlers.RULES,
    *declared.RULES,
    *subflows.RULES,
    *control.RULES,
    *outcomes.RULES,
    *general.RULES,
)
"""All rules in the order in which they are asked."""


def explain(evidence: Evidence) -> Rule | None:
    """The first rule that recognises the difference; None leaves it unexplained."""
    return next((rule for rule in RULES if rule.recognises(evidence)), None)


def explain_declared(difference: Difference) -> str | None:
    """The id of the rule for a difference that was found without a run."""
    nothing = Comparison((), 0, (), {}, {}, (), ())
    rule = explain(Evidence(difference, nothing, Trace("v1"), Trace("v2")))
    return rule.id if rule is not None else None


def by_id(rule_id: str | None) -> Rule | None:
    """The rule of this id."""
    return next((rule for rule in RULES if rule.id == rule_id), None)
