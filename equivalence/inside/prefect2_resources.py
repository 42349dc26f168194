"""Context managers of the user's own code that a Prefect 2 flow function enters and leaves.

They are what Prefect 1's resource managers become. Both phases are reported as runs of a task, as Prefect 1 has them:
``Cluster.setup`` and ``Cluster.cleanup``.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
import sys
import types
from typing import Any, Callable, Optional

from .classes import in_library
from .faces import text

_NAME = "_equivalence_name"
_ENTER, _EXIT = ("__enter__", "__aenter__"), ("__exit__", "__aexit__")


class Resources(object):
    """Watches the classes and generator functions of user code that make context managers."""

    def __init__(self, tracer: Callable[[], Any]) -> None:
        self._tracer = tracer
        self._watched = set()  # type: set[int]
        self._numbers = itertools.count()

    def install(self) -> None:
        """Watch the context managers that ``contextlib`` makes of generator functions."""
        for name in ("_GeneratorContextManager", "_AsyncGeneratorContextManager"):
            cls = getattr(contextlib, name, None)
            if cls is not None:
                self._watch(cls, _name_of_function)

    def watch_modules(self) -> None:
        """Watch the classes of the user's modules loaded by now."""
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if not isinstance(file, str) or in_library(file) or module.__name__.startswith("equivalence_inside"):
                continue
            for cls in list(vars(module).values()):
                if isinstance(cls, type) and cls.__module__ == module.__name__ and id(cls) not in self._watched:
                    self._watched.add(id(cls))
                    self._watch(cls, _name_of_class)

    def _watch(self, cls: type, name_of: Callable[[Any], Optional[str]]) -> None:
        for names, phase in ((_ENTER, "setup"), (_EXIT, "cleanup")):
            for name in names:
                if name in cls.__dict__:
                    setattr(cls, name, self._reporting(cls.__dict__[name], phase, name_of))

    def _reporting(self, method: Any, phase: str, name_of: Callable[[Any], Optional[str]]) -> Any:
        if inspect.iscoroutinefunction(method):

            @functools.wraps(method)
            async def reporting_async(manager: Any, *args: Any) -> Any:
                reported = self._begin(manager, phase, name_of)
                if reported is None:
                    return await method(manager, *args)
                try:
                    value = await method(manager, *args)
                except BaseException as error:
                    reported.failed(error, args)
                    raise
                reported.completed()
                return value

            return reporting_async

        @functools.wraps(method)
        def reporting(manager: Any, *args: Any) -> Any:
            frame = getattr(getattr(manager, "gen", None), "gi_frame", None)
            if frame is not None and len(args) == 3 and args[0] is not None:
                lines = Lines(frame)
                try:
                    with lines:
                        return method(manager, *args)
                finally:
                    reported = self._begin(manager, phase, name_of) if lines.seen else None
                    if reported is not None:
                        reported.completed()
            reported = self._begin(manager, phase, name_of)
            if reported is None:
                return method(manager, *args)
            try:
                value = method(manager, *args)
            except BaseException as error:
                reported.failed(error, args)
                raise
            reported.completed()
            return value

        return reporting

    def _begin(self, manager: Any, phase: str, name_of: Callable[[Any], Optional[str]]) -> Optional["Phase"]:
        """Report the beginning of a phase; None of what is no part of the flow function."""
        tracer = self._tracer()
        if tracer is None:
            return None
        from prefect.context import FlowRunContext, TaskRunContext

        name = name_of(manager) if FlowRunContext.get() and not TaskRunContext.get() else None
        if name is None:
            return None
        run = "resource-%d" % next(self._numbers)
        tracer.resource(run, "%s.%s" % (name, phase), "resource-" + phase)
        tracer.resource_state(run, "RUNNING", "Running", None)
        return Phase(tracer, run)


class Lines(object):
    """Sees whether a generator executes a line of its own, and not only passes on what is thrown into it.

    Without ``finally`` nothing after ``yield`` runs when the block fails: such a clean-up does not happen.
    """

    def __init__(self, frame: types.FrameType) -> None:
        self.seen = False
        self._frame = frame

    def __enter__(self) -> None:
        self._outer, self._inner = sys.gettrace(), self._frame.f_trace
        self._frame.f_trace = self._trace
        sys.settrace(lambda frame, event, argument: None)

    def __exit__(self, *error: Any) -> None:
        sys.settrace(self._outer)
        self._frame.f_trace = self._inner

    def _trace(self, frame: types.FrameType, event: str, argument: Any) -> Any:
        self.seen = self.seen or event == "line"
        return self._trace


class Phase(object):
    """A set-up or clean-up that is under way."""

    def __init__(self, tracer: Any, run: str) -> None:
        self._tracer = tracer
        self._run = run

    def completed(self) -> None:
        """Report that it went well."""
        self._tracer.resource_state(self._run, "COMPLETED", "Completed", None)

    def failed(self, error: BaseException, arguments: Any) -> None:
        """Report its exception; that of the block itself is only handed on."""
        if len(arguments) == 3 and error is arguments[1]:
            self.completed()
        else:
            self._tracer.resource_state(self._run, "FAILED", "Failed", error)


def _name_of_function(manager: Any) -> Optional[str]:
    known = getattr(manager, _NAME, None)  # contextlib forgets the function on entering
    if known is not None:
        return str(known)
    function = getattr(manager, "func", None)
    code = getattr(function, "__code__", None)
    if function is None or code is None or in_library(code.co_filename):
        return None
    setattr(manager, _NAME, text(function.__name__))
    return text(function.__name__)


def _name_of_class(manager: Any) -> Optional[str]:
    return text(type(manager).__name__)
