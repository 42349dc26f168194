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
from typing import Any, Callable, List, Optional, Tuple

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
        self._open = []  # type: List[Tuple[Any, str]]

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
            if not isinstance(file, str) or in_library(file) or _own(module.__name__):
                continue
            for cls in list(vars(module).values()):
                if isinstance(cls, type) and cls.__module__ == module.__name__ and id(cls) not in self._watched:
                    self._watched.add(id(cls))
                    self._watch(cls, _name_of_class)

    def _watch(self, cls: type, name_of: Callable[[Any], Optional[str]]) -> None:
        own = [name for name in _ENTER + _EXIT if name in cls.__dict__]
        for names, phase in ((_ENTER, "setup"), (_EXIT, "cleanup")):
            for name, other in zip(names, _EXIT if names is _ENTER else _ENTER):
                if name in own:
                    setattr(cls, name, self._reporting(cls.__dict__[name], phase, name_of))
                elif other in own and _of_library(cls, name):
                    setattr(cls, name, self._reporting(getattr(cls, name), phase, name_of))

    def _reporting(self, method: Any, phase: str, name_of: Callable[[Any], Optional[str]]) -> Any:
        if inspect.iscoroutinefunction(method):

            @functools.wraps(method)
            async def reporting_async(manager: Any, *args: Any) -> Any:
                with self._phase(manager, phase, name_of, args):
                    return await method(manager, *args)

            return reporting_async

        @functools.wraps(method)
        def reporting(manager: Any, *args: Any) -> Any:
            with self._phase(manager, phase, name_of, args):
                return method(manager, *args)

        return reporting

    def _phase(self, manager: Any, phase: str, name_of: Callable[[Any], Optional[str]], args: Any) -> Any:
        """What reports a phase while it is under way: once, also where a class calls the method of its base."""
        tracer = self._tracer()
        name = name_of(manager) if tracer is not None and _in_flow() else None
        if name is None or any(one is manager and other == phase for one, other in self._open):
            return contextlib.nullcontext()
        run = "resource-%d" % next(self._numbers)
        return Phase(tracer, run, "%s.%s" % (name, phase), phase, (manager, args), self._open)


class Phase(object):
    """A set-up or clean-up that is under way."""

    def __init__(
        self, tracer: Any, run: str, name: str, phase: str, call: Tuple[Any, Any], under_way: List[Tuple[Any, str]]
    ) -> None:
        self._tracer = tracer
        self._run, self._name, self._phase = run, name, phase
        self._manager, args = call
        self._open = under_way
        self._failure = args[1] if len(args) == 3 else None
        generator = getattr(self._manager, "gen", None)
        frame = getattr(generator, "gi_frame", None) or getattr(generator, "ag_frame", None)
        self._lines = Lines(frame) if frame is not None and self._failure is not None else None

    def __enter__(self) -> None:
        if self._lines is None:
            self._begin()
        else:
            self._lines.start()
        self._open.append((self._manager, self._phase))

    def __exit__(self, kind: Any, error: Optional[BaseException], traceback: Any) -> None:
        self._open[:] = [(one, other) for one, other in self._open if one is not self._manager or other != self._phase]
        if self._lines is not None:
            self._lines.stop()
            if not self._lines.seen:
                return
            self._begin()
        if error is None or error is self._failure:  # what the block failed with is only handed on
            self._tracer.resource_state(self._run, "COMPLETED", "Completed", None)
        else:
            self._tracer.resource_state(self._run, "FAILED", "Failed", error)

    def _begin(self) -> None:
        self._tracer.resource(self._run, self._name, "resource-" + self._phase)
        self._tracer.resource_state(self._run, "RUNNING", "Running", None)


class Lines(object):
    """Sees whether a generator executes a line of its own, and not only passes on what is thrown into it.

    Without ``finally`` nothing after ``yield`` runs when the block fails: such a clean-up does not happen.
    """

    def __init__(self, frame: types.FrameType) -> None:
        self.seen = False
        self._frame = frame

    def start(self) -> None:
        """Look on."""
        self._outer, self._inner = sys.gettrace(), self._frame.f_trace
        self._frame.f_trace = self._trace
        sys.settrace(lambda frame, event, argument: None)

    def stop(self) -> None:
        """Leave it as it was."""
        sys.settrace(self._outer)
        self._frame.f_trace = self._inner

    def _trace(self, frame: types.FrameType, event: str, argument: Any) -> Any:
        self.seen = self.seen or event == "line"
        return self._trace


def _own(module: str) -> bool:
    """Whether this is code of the worker, which has context managers too."""
    return module.partition(".")[0] == __name__.partition(".")[0]


def _in_flow() -> bool:
    from prefect.context import FlowRunContext, TaskRunContext

    return FlowRunContext.get() is not None and TaskRunContext.get() is None


def _of_library(cls: type, name: str) -> bool:
    """Whether a class has a method of this name from a library, such as ``contextlib.AbstractContextManager``."""
    owner = next((base for base in cls.__mro__[1:] if name in base.__dict__), None)
    file = getattr(sys.modules.get(owner.__module__), "__file__", None) if owner is not None else None
    return owner is not None and (not isinstance(file, str) or in_library(file))


def _name_of_function(manager: Any) -> Optional[str]:
    known = getattr(manager, _NAME, None)  # contextlib forgets the function on entering
    if known is not None:
        return str(known)
    function = getattr(manager, "func", None)
    code = getattr(function, "__code__", None)
    if function is None or code is None or in_library(code.co_filename) or _own(function.__module__):
        return None
    setattr(manager, _NAME, text(function.__name__))
    return text(function.__name__)


def _name_of_class(manager: Any) -> Optional[str]:
    return text(type(manager).__name__)
