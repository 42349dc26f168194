"""Bugs in flow definitions and timeouts: G01, G18."""

from __future__ import annotations

from tests.planted.bug import PlantedBug

PLANTED: tuple[PlantedBug, ...] = ()
