"""What a Prefect 1 flow declares and no run shows: its schedule, its run configuration."""

from __future__ import annotations

import datetime
from typing import Any, Callable, Dict, List, Optional

from . import schedules
from .faces import text

FIELDS = (
    "image",
    "working_dir",
    "cpu_request",
    "cpu_limit",
    "memory_request",
    "memory_limit",
    "cpu",
    "memory",
    "service_account_name",
    "image_pull_policy",
)
"""What a run configuration may say that Prefect 2 has under the same name."""


def schedule(flow: Any, encode: Callable[[Any], Dict[str, Any]]) -> Optional[Dict[str, Any]]:
    """Fire times from each start, with the parameters of their clocks; None without a schedule."""
    if flow.schedule is None:
        return None
    clocks = list(flow.schedule.clocks)
    zone = next((name for clock in clocks for name in [schedules.zone_name(clock.start_date)] if name), None)
    told = {"text": ", ".join(_clock(clock) for clock in clocks), "zone": zone}  # type: Dict[str, Any]
    try:
        told["fires"] = {start.isoformat(): _fires(flow.schedule, start, encode) for start in schedules.starts(zone)}
    except Exception as error:
        told["problem"] = "%s: %s" % (type(error).__name__, text(error))
    return told


def _fires(schedule: Any, start: datetime.datetime, encode: Callable[[Any], Dict[str, Any]]) -> List[Any]:
    import pendulum

    # Prefect 1 leaves the moment itself out, Prefect 2 takes it in.
    after = pendulum.instance(start).subtract(seconds=1)
    events = schedule.next(schedules.FIRES, after=after, return_events=True)
    return [[schedules.stamp(event.start_time), _encoded(event.parameter_defaults, encode)] for event in events]


def _encoded(parameters: Any, encode: Callable[[Any], Dict[str, Any]]) -> Dict[str, Any]:
    return {
        text(name): {"digest": encode(value)["digest"], "text": text(repr(value))}
        for name, value in (parameters or {}).items()
    }


def _clock(clock: Any) -> str:
    for name in ("cron", "interval", "dates", "rrule_obj"):
        value = getattr(clock, name, None)
        if value is not None:
            return "%s %s" % (name, text(value))
    return type(clock).__name__


def run_config(flow: Any) -> Optional[Dict[str, Any]]:
    """Type, environment, labels and the fields that both engines have; None without a run configuration."""
    config = getattr(flow, "run_config", None)
    if config is None:
        return None
    fields = {name: text(getattr(config, name)) for name in FIELDS if getattr(config, name, None) is not None}
    env = {text(name): text(value) for name, value in (getattr(config, "env", None) or {}).items()}
    labels = sorted(text(label) for label in getattr(config, "labels", None) or ())
    return {"type": type(config).__name__, "fields": fields, "env": env, "labels": labels}
