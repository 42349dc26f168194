"""Pairs that cache: which seconds between two runs of a flow put their caches to the test."""

from __future__ import annotations

from equivalence.descriptions import FlowDescription

UNLIMITED = (0.0, 86400.0)
"""Where a cache never expires: at once, and a day later."""


def gaps(*flows: FlowDescription) -> tuple[float, ...]:
    """Seconds around each declared expiry: just before and just after; empty where no task of either flow caches."""
    caching = [task for flow in flows for task in flow.tasks if task.get("caches")]
    if not caching:
        return ()
    found = set(UNLIMITED) if any(task.get("expires") is None for task in caching) else {0.0}
    for task in caching:
        expires = task.get("expires")
        if expires:
            found |= {max(expires - 1.0, 0.0), expires + 1.0}
    return tuple(sorted(found))
