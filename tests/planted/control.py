"""Bugs in signals, triggers, skips and conditionals: G07 to G10."""

from __future__ import annotations

from tests.planted.bug import PlantedBug

PLANTED: tuple[PlantedBug, ...] = ()
