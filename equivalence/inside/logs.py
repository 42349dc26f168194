"""Log lines of the user's own code: those of Prefect's loggers, without what the engine itself writes there."""

from __future__ import annotations

import functools
import logging
from typing import Any, Callable, Optional

from .classes import in_library
from .faces import text

_PRINTS = ("print_as_log", "write")
"""Functions of the engines that log what a flow prints, on request: 2.20.26 logging/loggers.py, 1.4.1 utilities."""


def install(report: Callable[[str, str, Optional[str]], None], run_of: Callable[[logging.LogRecord], Any]) -> None:
    """Call ``report(level, message, run)`` for each line; ``run_of`` finds a record's task run, None of the flow's.

    A handler would not do: Prefect 2 configures logging anew for every run, which removes it. Nothing but what is
    critical is written anywhere else: nobody reads the console of a worker.
    """
    handle = logging.Logger.handle

    @functools.wraps(handle)
    def reporting(logger: Any, record: logging.LogRecord) -> None:
        if record.name.split(".")[0] != "prefect" or record.levelno >= logging.CRITICAL:
            handle(logger, record)
        if record.name.split(".")[0] == "prefect" and _is_the_users(record):
            try:
                message = record.getMessage()
            except Exception as error:  # logging would print it to stderr and go on
                message = "%s (%s)" % (record.msg, error)
            report(record.levelname, text(message), run_of(record))

    logging.Logger.handle = reporting  # type: ignore[method-assign,assignment]


def _is_the_users(record: logging.LogRecord) -> bool:
    return record.funcName in _PRINTS or not in_library(record.pathname)
