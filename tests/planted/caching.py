"""Bugs in caching, context and secrets: G15, G20, G21."""

from __future__ import annotations

from tests.planted.bug import PlantedBug

PLANTED: tuple[PlantedBug, ...] = ()
