"""The clock that flows read from Prefect: one instant for both sides of a case, moved on between its runs.

Replaced is ``pendulum.now``, by which both engines tell the time: the dates of ``prefect.context``, the start times of
``prefect.runtime``, due times and the expiry of caches. Python's own clocks stay as they are.
"""

from __future__ import annotations

import functools
import sys
from typing import Any, Optional

_STAMPS = ("schemas/states.py", "schemas/objects.py", "schemas\\states.py", "schemas\\objects.py")
"""Where Prefect 2 stamps states: two states of one run may not bear the same time (2.20.26 server/database)."""


class Clock(object):
    """Stands still during a run."""

    def __init__(self) -> None:
        self.instant = None  # type: Optional[float]
        self._stamps = 0

    def install(self) -> None:
        """Put the instant in the place of ``pendulum.now`` while there is one."""
        import pendulum

        now = pendulum.now

        @functools.wraps(now)
        def stopped(tz: Any = None) -> Any:
            if self.instant is None:
                return now(tz)
            moment = pendulum.from_timestamp(self.instant)
            if sys._getframe(1).f_code.co_filename.endswith(_STAMPS):
                self._stamps += 1
                moment = moment.add(microseconds=self._stamps)
            return moment.in_timezone(pendulum.local_timezone() if tz is None or tz == "local" else tz)

        pendulum.now = stopped

    def stand(self, instant: Optional[float]) -> None:
        """Stand still at a time stamp in seconds; None: the true time again."""
        self.instant = instant
        self._stamps = 0

    def read(self) -> Any:
        """The instant, aware and in UTC."""
        import pendulum

        return pendulum.from_timestamp(self.instant) if self.instant is not None else pendulum.now("UTC")
