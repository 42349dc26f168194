"""Bugs in state handlers, names, logging and notifications: G14, G17, G19, G30."""

from __future__ import annotations

from tests.planted.bug import PlantedBug

PLANTED: tuple[PlantedBug, ...] = ()
