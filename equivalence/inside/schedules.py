"""The moments for which the fire times of schedules are worked out, the same in both workers."""

from __future__ import annotations

import calendar
import datetime
from typing import Any, List, Optional

FIRES = 200
"""How many fire times are worked out from each start."""

STARTS = (
    "2024-01-01T00:00:00",
    "2024-03-10T00:00:00",  # clocks go forward in the United States
    "2024-03-31T00:00:00",  # and in Europe
    "2024-04-06T08:00:00",  # back in Australia
    "2024-10-05T08:00:00",  # and forward there
    "2024-10-27T00:00:00",  # back in Europe
    "2024-11-03T00:00:00",  # and in the United States
)
"""UTC. Each lies a few hours before the change, so that also a schedule of minutes crosses it."""


def starts(zone: Optional[str]) -> List[datetime.datetime]:
    """The starts, aware and in UTC: those of all schedules, and some hours before the changes of one's own zone."""
    found = [datetime.datetime.fromisoformat(start) for start in STARTS]
    if zone:
        found += [change - datetime.timedelta(hours=4) for change in _changes(zone)]
    return sorted({moment.replace(tzinfo=datetime.timezone.utc) for moment in found})


def _changes(zone: str) -> List[datetime.datetime]:
    """When the offset of a zone changes in 2024, to the hour; naive and in UTC."""
    import pendulum

    hours = range(0, 24 * 366)
    first = calendar.timegm((2024, 1, 1, 0, 0, 0))
    offsets = [pendulum.from_timestamp(first + hour * 3600, tz=zone).utcoffset() for hour in hours]
    return [
        datetime.datetime.utcfromtimestamp(first + hour * 3600)
        for hour in hours
        if hour and offsets[hour] != offsets[hour - 1]
    ]


def stamp(moment: Any) -> float:
    """An aware moment as seconds since 1970."""
    return float(moment.timestamp())


def zone_name(moment: Any) -> Optional[str]:
    """The name of the zone of a moment or schedule, None where it has none that is named."""
    zone = getattr(moment, "tzinfo", None)
    return getattr(zone, "name", None) or getattr(zone, "key", None) or getattr(zone, "zone", None)
