"""Pairs that cache: which seconds between two runs of a flow put their caches to the test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from equivalence.descriptions import FlowDescription
from equivalence.trace import Trace

UNLIMITED = (0.0, 86400.0)
"""Where a cache never expires: at once, and a day later."""


def gaps(*flows: FlowDescription) -> tuple[float, ...]:
    """Seconds around each declared expiry, just after and just before; empty where no task of either flow caches."""
    return _gaps(task.get("expires") for flow in flows for task in flow.tasks if task.get("caches"))


def gaps_seen(runs: Sequence[Sequence[Trace]]) -> tuple[float, ...]:
    """The same, of the tasks that ran: Prefect 2 tells of tasks outside the flow's file when they are called."""
    tasks = [run for traces in runs for trace in traces for run in trace.tasks]
    return _gaps(run.expires for run in tasks if run.caches)


def _gaps(expiries: Iterable[float | None]) -> tuple[float, ...]:
    known = set(expiries)
    if not known:
        return ()
    limited = sorted(expires for expires in known if expires)
    # At once, then after what expires first: that tells any two durations apart.
    found = [0.0, *(expires + 1.0 for expires in limited), *(max(expires - 1.0, 0.0) for expires in limited)]
    return tuple(dict.fromkeys([*found, *(UNLIMITED if None in known else ())]))
