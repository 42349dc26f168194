"""Rules for subflows and the task library: G22 to G24, G31."""

from __future__ import annotations

from equivalence.catalogue.rule import Rule

RULES: tuple[Rule, ...] = ()
