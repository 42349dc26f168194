"""Rules for what flows declare: G26 to G29."""

from __future__ import annotations

from equivalence.catalogue.rule import Rule

RULES: tuple[Rule, ...] = ()
