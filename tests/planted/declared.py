"""Bugs in what flows declare: G26 to G29."""

from __future__ import annotations

from tests.planted.bug import PlantedBug

PLANTED: tuple[PlantedBug, ...] = ()
