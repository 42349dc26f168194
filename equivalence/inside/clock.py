"""The clock that a flow reads: one instant for both sides of a case, moved on between its runs.

==============================================  =========================================================
who asks                                        what is told
==============================================  =========================================================
the user's code, also through pendulum, pandas  the instant, always the same in one run
Prefect                                         the instant; Prefect 2 for stamps of states and rows a
                                                microsecond more each time: two states of one run may not
                                                bear the same time (2.20.26 server/database/orm_models.py)
any other library                               the true time: requests are signed with it
==============================================  =========================================================

``time.sleep`` of the user's code sleeps, and moves the instant on by as much. Who waits for the time to pass in another
way sees it pass: after `BUSY` questions or `LONG` seconds of the run the clock goes on with the true one.
``time.time()`` goes on by a microsecond with each question of the user's code: rates are computed with it, and a zero
would be divided by. ``time.monotonic`` and ``time.perf_counter`` stay as they are.
"""

from __future__ import annotations

import ctypes
import datetime
import functools
import gc
import itertools
import os
import sys
import time
from typing import Any, Callable, Dict, Optional  # noqa: F401 - used in comments

from .classes import in_library

BUSY = 100000
LONG = 20.0

TELLERS = ("pendulum", "pandas", "numpy", "dateutil", "arrow", "pytz", "babel", "freezegun")
"""Libraries by which a flow asks for the time."""

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_STANDARD = ("datetime.py", "_strptime.py", "calendar.py", "functools.py", "contextlib.py")

_STAMPS = ("states.py", "objects.py", "orm_models.py")
"""Files of Prefect 2 that stamp states and rows."""

_NOBODY, _USER, _ENGINE, _STAMP, _LIBRARY = range(5)

_monotonic = time.monotonic


class Clock(object):
    """Stands still during a run; with ``stamps`` no two states and rows of the engine bear the same time."""

    def __init__(self, stamps: bool = False) -> None:
        self._stamps = stamps
        self.step = 1e-6  # seconds between two stamps
        self._known = {}  # type: Dict[str, int]
        self._begin(None)

    def _begin(self, instant: Optional[float]) -> None:
        self._began = _monotonic()
        self._ticks = itertools.count(1)
        self._engine_ticks = itertools.count(1)
        self._questions = 0
        self._went_on = None  # type: Optional[float]
        self._instant = instant  # type: Optional[float]

    def stand(self, instant: Optional[float]) -> None:
        """Stand still at a time stamp in seconds; None: the true time again."""
        self._begin(instant)

    def told(self, frame: Any, ticking: bool = False) -> Optional[float]:
        """The time stamp for the code in this frame; None for the true time."""
        if self._instant is None:
            return None
        asks = self._asks(frame)
        if asks == _LIBRARY or (asks == _NOBODY and not self._stamps):
            return None
        moment = self._instant + self._since()
        if asks == _USER:
            self._questions += 1
            direct = ticking and self._kind(frame.f_code.co_filename) == _USER
            return moment + next(self._ticks) * 1e-6 if direct else moment
        return moment + next(self._engine_ticks) * self.step if asks == _STAMP and self._stamps else moment

    def _since(self) -> float:
        """Seconds that the clock has gone on, of a run that waits for it."""
        if self._went_on is None:
            if self._questions < BUSY and _monotonic() - self._began < LONG:
                return 0.0
            self._went_on = _monotonic()
        return _monotonic() - self._went_on

    def slept(self, frame: Any, seconds: float) -> None:
        """The code in this frame has slept."""
        if self._instant is not None and self._went_on is None and self._asks(frame) == _USER:
            self._instant += seconds

    def _asks(self, frame: Any) -> int:
        while frame is not None:
            kind = self._kind(frame.f_code.co_filename)
            if kind != _NOBODY:
                return kind
            frame = frame.f_back
        return _NOBODY

    def _kind(self, file: str) -> int:
        """Whose code a file is; nobody's where the one that called it is asked instead."""
        kind = self._known.get(file)
        if kind is None:
            kind = self._known[file] = self._kind_of(file)
        return kind

    @staticmethod
    def _kind_of(file: str) -> int:
        if file.startswith("<") or os.path.dirname(os.path.abspath(file)) == _FOLDER:
            return _NOBODY
        if not in_library(file):
            return _USER
        parts = os.path.realpath(file).split(os.sep)
        packages = [part for part in parts if part in ("site-packages", "dist-packages")]
        if not packages:
            return _NOBODY if parts[-1] in _STANDARD else _LIBRARY
        package = parts[parts.index(packages[0]) + 1]
        if package == "prefect":
            return _STAMP if parts[-1] in _STAMPS else _ENGINE
        return _NOBODY if package.partition(".")[0] in TELLERS else _LIBRARY

    def install(self) -> None:
        """Put this clock in the place of Python's own, for all of the process."""
        self._install_datetime()
        self._install_time()

    def _install_datetime(self) -> None:
        """``datetime`` has its methods in C: they are replaced in the dict of the type, as no subclass could do."""
        clock = self

        def wrap(cls: Any, name: str, from_stamp: Callable[..., Any]) -> None:
            original = cls.__dict__[name]

            def asked(kind: Any, *args: Any, **kwargs: Any) -> Any:
                moment = clock.told(sys._getframe(1))
                if moment is None:
                    return original.__get__(None, kind)(*args, **kwargs)
                return from_stamp(kind, moment, *args, **kwargs)

            asked.__name__ = name
            _put(cls, name, classmethod(asked))

        def now(kind: Any, moment: float, tz: Any = None) -> Any:
            return kind.fromtimestamp(moment, tz)

        wrap(datetime.datetime, "now", now)
        wrap(datetime.datetime, "utcnow", lambda kind, moment: kind.utcfromtimestamp(moment))
        wrap(datetime.date, "today", lambda kind, moment: kind.fromtimestamp(moment))

    def _install_time(self) -> None:
        clock = self

        def instead(name: str, answer: Callable[..., Any]) -> None:
            original = getattr(time, name)

            @functools.wraps(original)
            def asked(*args: Any) -> Any:
                return answer(original, sys._getframe(1), *args)

            setattr(time, name, asked)

        def stamp(original: Any, frame: Any) -> Any:
            moment = clock.told(frame, ticking=True)
            return original() if moment is None else moment

        def stamp_ns(original: Any, frame: Any) -> Any:
            moment = clock.told(frame, ticking=True)
            return original() if moment is None else round(moment * 1e6) * 1000

        def broken_down(original: Any, frame: Any, seconds: Any = None) -> Any:
            return original(clock.told(frame) if seconds is None else seconds)

        def written(original: Any, frame: Any, pattern: str, moment: Any = None) -> Any:
            told = clock.told(frame) if moment is None else None
            if moment is None and told is None:
                return original(pattern)
            return original(pattern, time.localtime(told) if moment is None else moment)

        def shown(original: Any, frame: Any, moment: Any = None) -> Any:
            told = clock.told(frame) if moment is None else None
            if moment is None and told is None:
                return original()
            return original(time.localtime(told) if moment is None else moment)

        def sleep(original: Any, frame: Any, seconds: Any) -> None:
            original(seconds)
            clock.slept(frame, seconds)

        instead("time", stamp)
        instead("time_ns", stamp_ns)
        for name in ("localtime", "gmtime", "ctime"):
            instead(name, broken_down)
        instead("strftime", written)
        instead("asctime", shown)
        instead("sleep", sleep)


def _put(cls: Any, name: str, value: Any) -> None:
    """Set an attribute of a class that is made in C."""
    gc.get_referents(cls.__dict__)[0][name] = value
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(cls))


def start_on_the_second() -> None:
    """The expected start of a Prefect 2 run is the instant itself, and not the stamp of its first state."""
    from . import prefect2_releases

    SetExpectedStartTime = prefect2_releases.server("orchestration.global_policy").SetExpectedStartTime
    before = SetExpectedStartTime.before_transition

    @functools.wraps(before)
    async def before_transition(rule: Any, context: Any) -> None:
        await before(rule, context)
        expected = context.run.expected_start_time
        if expected is not None and not context.proposed_state.is_scheduled():
            context.run.expected_start_time = expected.replace(microsecond=0)

    SetExpectedStartTime.before_transition = before_transition
