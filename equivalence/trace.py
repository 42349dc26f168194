"""The record of one run, the same for both engines, and how it is made from a worker's events.

Pure: a trace can be built by hand in a test, or from the events of a process that died half way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from equivalence.compare.tree import Value

Read = Callable[[int, int], bytes]
"""Bytes of the worker's spool file: offset and length to content."""


@dataclass(frozen=True, slots=True)
class State:
    """One state as the engine named it; ``at`` in seconds since the run began."""

    type: str
    name: str
    message: str
    at: float


@dataclass(frozen=True, slots=True)
class ExceptionInfo:
    """An exception: its class (``module:qualname`` for libraries, the bare qualname for user code) and its text.

    ``details`` are its arguments and attributes, where the text does not say them. A failed state that was made by
    hand, without an exception, has no class.
    """

    type: str
    message: str
    traceback: str = ""
    details: str = ""

    @property
    def shown(self) -> str:
        """As Python would print it, without the module."""
        name = self.type.rpartition(":")[2] or "Failed"
        return f"{name}({self.message!r})" if self.message else f"{name}()"


@dataclass(frozen=True, slots=True)
class TaskKey:
    """Which task run this is: the task's name, which call of that name, which mapped child."""

    name: str
    call: int = 0
    map_index: int | None = None

    @property
    def shown(self) -> str:
        """``load``, ``load#2`` for the second call, ``load[3]`` for the fourth mapped child."""
        call = f"#{self.call + 1}" if self.call else ""
        index = "" if self.map_index is None else f"[{self.map_index}]"
        return f"{self.name}{call}{index}"


@dataclass(frozen=True, slots=True)
class TaskRun:
    """One execution slot of a task: a task of a Prefect 1 flow, one mapped child, or one Prefect 2 task run.

    ``attempts`` are the entries into Running; ``delays`` the seconds asked for before each retry; ``retries`` what
    the task declares, as are ``declared`` (its delays), ``timeout``, and whether it ``caches`` and ``expires`` after
    some seconds; ``engine_made`` the role of a task that Prefect made itself; ``run`` its id within the trace, by
    which ``upstream`` names task runs, as does ``after`` those that were certainly over when a Prefect 2 task run
    was created.
    """

    key: TaskKey
    side: str = "v1"
    states: tuple[State, ...] = ()
    attempts: int = 0
    delays: tuple[float, ...] = ()
    result: Value | None = None
    exception: ExceptionInfo | None = None
    failures: tuple[ExceptionInfo, ...] = ()
    engine_made: str | None = None
    upstream: tuple[str, ...] = ()
    retries: int | None = None
    jitter: float | None = None
    declared: tuple[float, ...] = ()
    timeout: float | None = None
    caches: bool = False
    expires: float | None = None
    tags: tuple[str, ...] = ()
    handlers: int = 0
    run: str = ""
    after: frozenset[str] = frozenset()

    @property
    def loops(self) -> int:
        """How often a Prefect 1 task raised LOOP."""
        return sum(state.type == "Looped" for state in self.states)

    @property
    def final(self) -> State | None:
        """The last state, or None of a task that the engine never touched."""
        return self.states[-1] if self.states else None


@dataclass(frozen=True, slots=True)
class Output:
    """A value that stands for what the flow gives: of a terminal or reference task by its name, or of ``return``."""

    name: str
    value: Value
    terminal: bool = True
    reference: bool = True


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that the user's code logged; ``run`` is the task run that wrote it, None for the flow."""

    level: str
    message: str
    run: str | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """Something done to the outside beside the tasks: a notification, or a function that a handler called.

    ``run`` is the task run that the handler was called for, None for the flow; ``state`` the one it went to;
    ``place`` counts the states before that one; ``handled`` is False of what a Prefect 2 flow function did by itself.
    """

    name: str
    run: str | None = None
    state: str = ""
    handled: bool = True
    place: int = 0


@dataclass(frozen=True, slots=True)
class ChildRun:
    """A flow that the flow ran: its parameters, defaults included, each as digest and text, and its states."""

    name: str
    parameters: Mapping[str, tuple[str, str]]
    states: tuple[State, ...] = ()

    @property
    def final(self) -> State | None:
        """The last state."""
        return self.states[-1] if self.states else None


@dataclass(frozen=True, slots=True)
class Trace:
    """What one side did with one case.

    ``ended`` is None of a run that came to its end, else what cut it short: ``TimedOut`` or ``Crashed``, with a
    sentence in ``reason``. ``rejected`` is set when the flow refused its parameters before anything ran. ``functions``
    are the plain functions of the flow's file, ``unsupported`` what it asked for that needs Prefect Cloud, ``flow_run``
    the id of the Prefect 2 flow run, whose function may be ``asynchronous``.
    """

    side: str
    states: tuple[State, ...] = ()
    exception: ExceptionInfo | None = None
    rejected: ExceptionInfo | None = None
    outputs: tuple[Output, ...] = ()
    returned_nothing: bool = False
    tasks: tuple[TaskRun, ...] = ()
    logs: tuple[LogLine, ...] = ()
    acts: tuple[Act, ...] = ()
    functions: tuple[str, ...] = ()
    children: tuple[ChildRun, ...] = ()
    unsupported: tuple[str, ...] = ()
    flow_run: str | None = None
    asynchronous: bool = False
    replaced: tuple[str, ...] = ()
    output: str = ""
    ended: str | None = None
    reason: str = ""
    seconds: float = 0.0

    @property
    def final(self) -> State | None:
        """The flow's last state."""
        return self.states[-1] if self.states else None

    @property
    def user_tasks(self) -> tuple[TaskRun, ...]:
        """The task runs of the user's own tasks; containers of mapped children and engine-made tasks left out."""
        return tuple(
            run
            for run in self.tasks
            if run.engine_made is None and not (run.final is not None and run.final.type == "Mapped")
        )

    @property
    def opaques(self) -> int:
        """Parts of results that could not be encoded, and so cannot be compared."""
        runs = sum(run.result.opaques for run in self.tasks if run.result is not None)
        return runs + sum(output.value.opaques for output in self.outputs)


_ENTERS = {"Running", "RUNNING"}
_GOES_ON = {"Looped", "Paused", "Resume", "PAUSED"}
"""States after which Running is no further attempt: the next round of a loop, and the end of a pause."""


@dataclass(slots=True)
class _Slot:
    """A task run while its events come in."""

    created: Mapping[str, Any]
    call: int = 0
    states: list[State] = field(default_factory=list)
    attempts: int = 0
    delays: list[float] = field(default_factory=list)
    result: Value | None = None
    exception: ExceptionInfo | None = None
    failures: list[ExceptionInfo] = field(default_factory=list)
    engine_made: str | None = None
    after: frozenset[str] = frozenset()

    def enter(self, event: Mapping[str, Any], read: Read | None) -> None:
        state = State(event["type"], event["name"], event.get("message") or "", event["at"])
        self.states.append(state)
        exception = _exception(event.get("exception"))
        if state.type in _ENTERS and not (len(self.states) > 1 and self.states[-2].type in _GOES_ON):
            self.attempts += 1
        if state.type.upper() in ("FAILED", "TIMEDOUT", "CRASHED", "VALIDATIONFAILED", "TRIGGERFAILED"):
            self.failures.append(exception or ExceptionInfo("", state.message))
        if "delay" in event:
            self.delays.append(float(event["delay"]))
        if "result" in event:
            self.result = Value.from_envelope(event["result"], read)
        if not event.get("proposed"):
            self.exception = exception

    def freeze(self, side: str) -> TaskRun:
        return TaskRun(
            side=side,
            key=TaskKey(self.created["name"], self.call, self.created.get("map")),
            states=tuple(self.states),
            attempts=self.attempts,
            delays=tuple(self.delays),
            result=self.result,
            exception=self.exception,
            failures=tuple(self.failures),
            engine_made=self.engine_made,
            upstream=tuple(self.created.get("upstream") or ()),
            retries=self.created.get("retries"),
            jitter=self.created.get("jitter"),
            declared=tuple(self.created.get("delays") or ()),
            timeout=self.created.get("timeout"),
            caches=bool(self.created.get("caches")),
            expires=self.created.get("expires"),
            tags=tuple(self.created.get("tags") or ()),
            handlers=self.created.get("handlers") or 0,
            run=str(self.created["run"]),
            after=self.after,
        )


def build(
    side: str,
    events: Iterable[Mapping[str, Any]],
    *,
    read: Read | None = None,
    output: str = "",
    ended: str | None = None,
    reason: str = "",
    seconds: float = 0.0,
) -> Trace:
    """The trace of a run from its events, which may stop anywhere.

    ``read`` gives bytes of the worker's spool file. A run that was cut short (``ended``) gets a last flow state that
    says so.
    """
    slots: dict[str, _Slot] = {}
    states: list[State] = []
    outputs: list[Output] = []
    replaced: list[str] = []
    logs: list[LogLine] = []
    acts: list[Act] = []
    functions: tuple[str, ...] = ()
    children: dict[str, tuple[Mapping[str, Any], list[State]]] = {}
    subflows: dict[str | None, str] = {}
    unsupported: list[str] = []
    flow_run: str | None = None
    asynchronous = False
    exception = rejected = None
    nothing = False
    over: set[str] = set()
    for event in events:
        kind = event["e"]
        if kind == "task":
            # A retry of the flow announces its task runs again: they are the same ones, and go on.
            if event["run"] not in slots:
                after = _over_before(event, slots, over, slots.get(subflows.get(event.get("flow_run"), "")))
                slots[event["run"]] = _Slot(event, event.get("call") or 0, engine_made=event.get("engine"), after=after)
        elif kind == "waited" and event["run"] in slots:
            over |= {event["run"], *slots[event["run"]].after}
        elif kind == "flow-ended":
            for run, known in slots.items():
                if known.created.get("flow_run") == event["flow_run"]:
                    over |= {run, *known.after}
        elif kind == "task-state" and event["run"] in slots:
            slots[event["run"]].enter(event, read)
        elif kind == "task-role" and event["run"] in slots:
            slots[event["run"]].engine_made = event["engine"]
        elif kind == "flow-state":
            states.append(State(event["type"], event["name"], event.get("message") or "", event["at"]))
        elif kind == "flow-exception":
            exception = _exception(event["exception"])
        elif kind == "rejected":
            rejected = _exception(event["exception"]) or ExceptionInfo("ParameterError", "")
        elif kind == "returned-nothing":
            nothing = True
        elif kind == "log":
            logs.append(LogLine(event["level"], event["message"], event["run"]))
        elif kind == "act":
            slot = slots.get(event["run"])
            place = len(slot.states) if slot is not None else len(states)
            acts.append(Act(event["name"], event["run"], event["state"], event["handled"], place))
        elif kind == "child":
            children[event["run"]] = event, []
            subflows[event["run"]] = event.get("within", "")
        elif kind == "child-state" and event["run"] in children:
            children[event["run"]][1].append(
                State(event["type"], event["name"], event.get("message") or "", event["at"])
            )
        elif kind == "unsupported":
            unsupported.append(event["text"])
        elif kind == "flow-run":
            flow_run = event["run"]
            asynchronous = bool(event.get("async"))
        elif kind == "functions":
            functions = tuple(event["names"])
        elif kind == "replaced":
            replaced.append(event["text"])
        elif kind == "output":
            value = Value.from_envelope(event["value"], read) if "value" in event else slots[event["run"]].result
            if value is not None:
                roles = event.get("terminal", True), event.get("reference", True)
                outputs.append(Output(event["name"], value, *roles))
    if ended is not None:
        states.append(State(ended, ended, reason, seconds))
    _number_calls(slots.values())
    return Trace(
        side=side,
        states=tuple(states),
        exception=exception,
        rejected=rejected,
        outputs=tuple(outputs),
        returned_nothing=nothing,
        tasks=tuple(slot.freeze(side) for slot in slots.values()),
        logs=tuple(logs),
        acts=tuple(acts),
        functions=functions,
        children=tuple(
            ChildRun(
                child["name"],
                {name: (value["digest"], value["text"]) for name, value in child["parameters"].items()},
                tuple(passed),
            )
            for child, passed in children.values()
        ),
        unsupported=tuple(unsupported),
        flow_run=flow_run,
        asynchronous=asynchronous,
        replaced=tuple(replaced),
        output=output,
        ended=ended,
        reason=reason,
        seconds=seconds,
    )


def _over_before(
    event: Mapping[str, Any], slots: Mapping[str, _Slot], over: set[str], within: _Slot | None
) -> frozenset[str]:
    """The Prefect 2 task runs that are certainly over when a new one is created.

    Those that the flow function waited for and those whose futures it hands on; under a sequential task runner, which
    the flow declares, all that it submitted before; in a subflow also what was over when that was called (``within``).
    """
    given = event.get("futures")
    before = [run for run in (event.get("upstream") if given is None else given) or () if run in slots]
    if event.get("sequential"):
        before += [run for run, slot in slots.items() if slot.created.get("flow_run") == event.get("flow_run")]
    called = frozenset() if within is None else within.after
    return frozenset(over).union(before, called, *(slots[run].after for run in before))


def _number_calls(slots: Iterable[_Slot]) -> None:
    """Number Prefect 2's task runs within their task's name, in the order of the calls.

    ``dynamic_key`` counts the calls of one ``task_key`` in that order, which under concurrency is not the order in
    which the runs are created: the runs of one key change places among themselves. Two functions may have one name;
    copies made by ``with_options`` share the key under other names.
    """
    names: dict[str, list[_Slot]] = {}
    for slot in slots:
        if "dynamic" in slot.created:
            names.setdefault(slot.created["name"], []).append(slot)
    for group in names.values():
        places: dict[tuple[str, str], list[int]] = {}
        for position, slot in enumerate(group):
            places.setdefault((slot.created["flow_run"], slot.created["key"]), []).append(position)
        for positions in places.values():
            for position, slot in zip(positions, sorted((group[at] for at in positions), key=_dynamic), strict=True):
                slot.call = position


def _dynamic(slot: _Slot) -> tuple[int, str]:
    dynamic = str(slot.created["dynamic"])
    return int(dynamic) if dynamic.isdigit() else 0, dynamic


def _exception(data: Mapping[str, Any] | None) -> ExceptionInfo | None:
    if data is None:
        return None
    return ExceptionInfo(data["type"], data["message"], data.get("traceback", ""), data.get("details", ""))
