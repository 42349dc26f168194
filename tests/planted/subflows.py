"""Bugs in executors, async flows, subflows, the task library and the API: G22 to G24, G31, G32."""

from __future__ import annotations

from tests.planted.bug import PlantedBug

PLANTED: tuple[PlantedBug, ...] = ()
