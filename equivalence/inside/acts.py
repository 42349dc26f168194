"""What acts on the outside beside the tasks: notifications, and functions that handlers and hooks call.

A call of one of the user's own functions counts when it returns nothing: a function that hands a value back helps the
handler, one that does not has done something.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
import types
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple  # noqa: F401 - used in comments

from .classes import in_library

Subject = Tuple[Optional[str], str]
"""The task run that a handler was called for, None for the flow, and the state that it went to."""


class Acts(object):
    """Reports the acts of one worker; ``report(name, run, state)`` sends the event."""

    def __init__(self, report: Callable[..., None]) -> None:
        self._report = report
        self._subjects = []  # type: List[Subject]

    @contextlib.contextmanager
    def about(self, run: Optional[str], state: str) -> Iterator[None]:
        """While a handler or hook runs."""
        self._subjects.append((run, state))
        try:
            yield
        finally:
            self._subjects.pop()

    def note(self, name: str) -> None:
        """Report an act of this name, with what the handler was called for."""
        run, state = self._subjects[-1] if self._subjects else (None, "")
        self._report(name, run, state, bool(self._subjects))

    @contextlib.contextmanager
    def watching(self, module: Any, in_flow: Callable[[], bool]) -> Iterator[List[str]]:
        """Watch the plain functions of a flow's module; gives their names.

        Calls count within handlers, and where ``in_flow`` says that a flow function itself calls.
        """
        found = {}  # type: Dict[str, Any]
        for name, value in list(vars(module).items()):
            if isinstance(value, types.FunctionType) and not in_library(value.__code__.co_filename):
                found[name] = value
        for name, function in found.items():
            if not inspect.iscoroutinefunction(function) and not inspect.isgeneratorfunction(function):
                setattr(module, name, self._watched(name, function, in_flow))
        try:
            yield sorted(found)
        finally:
            for name, function in found.items():
                setattr(module, name, function)

    def _watched(self, name: str, function: Any, in_flow: Callable[[], bool]) -> Any:
        @functools.wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            value = function(*args, **kwargs)
            if value is None and (self._subjects or in_flow()):
                self.note(name)
            return value

        return watched


def stub_notifications_v1(acts: Acts) -> None:
    """Prefect 1's notifiers report instead of sending (1.4.1 utilities/notifications/notifications.py)."""
    import smtplib

    import requests  # type: ignore[import-untyped]

    class Sent(object):
        ok = True
        status_code = 200

    class Server(object):
        def login(self, *args: Any) -> None:
            pass

        def quit(self) -> None:
            pass

        def sendmail(self, *args: Any) -> None:
            acts.note("email")

    def instead(owner: Any, name: str, answer: Callable[..., Any]) -> None:
        original = getattr(owner, name)

        @functools.wraps(original)
        def answered(*args: Any, **kwargs: Any) -> Any:
            notifier = sys._getframe(1).f_globals.get("__name__", "").startswith("prefect.utilities.notifications")
            return answer(*args, **kwargs) if notifier else original(*args, **kwargs)

        setattr(owner, name, answered)

    def post(*args: Any, **kwargs: Any) -> Any:
        acts.note("slack")
        return Sent()

    instead(requests, "post", post)
    instead(smtplib, "SMTP_SSL", lambda *args, **kwargs: Server())


SECRETS_V1 = {
    "SLACK_WEBHOOK_URL": "https://notifications.invalid/slack",
    "EMAIL_USERNAME": "user@notifications.invalid",
    "EMAIL_PASSWORD": "none",
}
"""What the notifiers ask for before they send; nothing is sent."""


def stub_notifications_v2(acts: Acts) -> None:
    """Notification blocks report instead of sending, also those that the worker's own database does not hold."""
    try:
        import prefect.blocks.notifications as module
        from prefect.blocks.abstract import NotificationBlock
    except ImportError:
        return

    for cls in list(vars(module).values()):
        if isinstance(cls, type) and issubclass(cls, NotificationBlock) and "Abstract" not in cls.__name__:
            _stub_block(cls, acts)


_CHANNELS = {"SlackWebhook": "slack", "EmailServerCredentials": "email", "SendgridEmail": "email"}


def _stub_block(cls: Any, acts: Acts) -> None:
    name = _CHANNELS.get(cls.__name__, cls.__name__)

    def notify(block: Any, *args: Any, **kwargs: Any) -> Any:
        acts.note(name)
        return _Done()

    def loaded(*args: Any, **kwargs: Any) -> Any:
        return cls.construct()

    cls.notify = notify
    cls.load = staticmethod(loaded)


class _Done(object):
    """Nothing, awaited or not."""

    def __await__(self) -> Any:
        return iter(())
