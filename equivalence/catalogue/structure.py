"""Rules for resource managers, mapping, loops and dependencies: G11, G12, G13, G16."""

from __future__ import annotations

from equivalence.catalogue.rule import Rule

RULES: tuple[Rule, ...] = ()
