"""Planted bugs: small named edits of portfolio flows, each a mistake people make while migrating.

Every edit was run on both engines: ``why`` names the mistake and, last, parameters that reveal it
(all others at their defaults). They tell a reader what to expect; the search for the bug never sees them.
"""

from __future__ import annotations

from tests.planted import basics, caching, control, declared, definition, handlers, structure, subflows
from tests.planted.bug import PlantedBug, apply

__all__ = ["PLANTED", "PlantedBug", "apply"]

PLANTED: tuple[PlantedBug, ...] = (
    *basics.PLANTED,
    *definition.PLANTED,
    *control.PLANTED,
    *structure.PLANTED,
    *handlers.PLANTED,
    *caching.PLANTED,
    *declared.PLANTED,
    *subflows.PLANTED,
)
