"""Rules for state handlers, logging and notifications: G14, G17, G19, G30."""

from __future__ import annotations

from equivalence.catalogue.rule import Rule

RULES: tuple[Rule, ...] = ()
