"""Rules for caching, context and secrets: G15, G20, G21."""

from __future__ import annotations

from equivalence.catalogue.rule import Rule

RULES: tuple[Rule, ...] = ()
