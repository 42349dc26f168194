"""Bugs in resource managers, mapping, loops and dependencies: G11, G12, G13, G16."""

from __future__ import annotations

from tests.planted.bug import PlantedBug

PLANTED: tuple[PlantedBug, ...] = ()
