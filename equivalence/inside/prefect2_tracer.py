"""The tracer of Prefect 2: what the client of the API is told in one run becomes events."""

from __future__ import annotations

import copy
import functools
import inspect
import random
from typing import Any, Callable, Dict, List, Optional, Tuple  # noqa: F401 - used in comments

from . import prefect2_releases, prefect2_waits
from .faces import exception_info, text

FINAL = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")


class Tracer(object):
    """Turns one run of a flow into events."""

    def __init__(self, flow: Any, emit: Callable[..., None], encode: Callable[[Any], Dict[str, Any]]) -> None:
        self._flow = flow
        self._emit = emit
        self._encode = encode
        self._flow_run = None  # type: Optional[str]
        self._entered = False
        self._returned_nothing = False
        self._raised = None  # type: Optional[BaseException]
        self._said = set()  # type: set[str]
        self._delays = {}  # type: Dict[str, List[float]]
        self._retried = {}  # type: Dict[str, int]
        self._last = None  # type: Any
        self._random = random.getstate()

    def replaced(self, what: str) -> None:
        """Say once what stands in for something of the user's."""
        if what not in self._said:
            self._said.add(what)
            self._emit("replaced", text=what)

    def act(self, name: str, run: Optional[str], state: str, handled: bool) -> None:
        """Report what a hook, or the flow function, did."""
        self._emit("act", name=name, run=run, state=state, handled=handled)

    def log(self, level: str, message: str, run: Optional[str]) -> None:
        """Report a log line of the user's."""
        self._emit("log", level=level, message=message, run=run)

    def unsupported(self, what: str) -> None:
        """Report a call that needs more than this worker."""
        self._emit("unsupported", text=what)

    def waited(self, run: str) -> None:
        """Report that the flow function waited for the end of a task run."""
        self._emit("waited", run=run)

    def resource(self, run: str, name: str, role: str) -> None:
        """Report the set-up or clean-up of a context manager as a task run of its own."""
        flow_run, sequential = _flow_around()
        self._emit(
            "task", run=run, name=name, map=None, engine=role, upstream=[], flow_run=flow_run, sequential=sequential
        )

    def resource_state(self, run: str, kind: str, name: str, error: Optional[BaseException]) -> None:
        """Report a state of such a run; it is over when the flow function goes on."""
        fields = {} if error is None else {"exception": exception_info(error)}
        self._emit("task-state", run=run, type=kind, name=name, message=text(error), **fields)
        if kind != "RUNNING":
            self.waited(run)

    def watched_flow(self) -> Any:
        """A copy of the flow whose function tells whether it returned nothing, or what it raised."""
        flow = copy.copy(self._flow)
        function = self._flow.fn

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def watched_async(*args: Any, **kwargs: Any) -> Any:
                self._enter()
                try:
                    return self._leave(await function(*args, **kwargs))
                except BaseException as error:
                    self._raised = error
                    raise

            flow.fn = watched_async
        else:

            @functools.wraps(function)
            def watched(*args: Any, **kwargs: Any) -> Any:
                self._enter()
                try:
                    return self._leave(function(*args, **kwargs))
                except BaseException as error:
                    self._raised = error
                    raise

            flow.fn = watched
        return flow

    def _enter(self) -> None:
        if not self._entered:
            random.setstate(self._random)  # the engine drew the run's name meanwhile
        self._entered, self._returned_nothing, self._raised = True, False, None

    def _leave(self, value: Any) -> Any:
        from prefect.states import is_state

        # A state made by hand says how the flow ended, and is no value of its own.
        self._returned_nothing = value is None or (is_state(value) and value.data is None)
        return value

    def before(self, method: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
        """What has to be kept of a proposal before the API changes the state object."""
        state = arguments.get("state")
        if state is None:
            return {}
        return {"type": state.type.value, "name": state.name, "message": text(state.message), "data": state.data}

    async def after(self, method: str, arguments: Dict[str, Any], before: Dict[str, Any], outcome: Any) -> None:
        """Report what the API made of the call."""
        if method == "create_flow_run":
            parent = arguments.get("parent_task_run_id")
            if parent is not None:
                self._emit("task-role", run=str(parent), engine="subflow")
                self._child(arguments, outcome)
            elif self._flow_run is None:
                self._flow_run = str(outcome.id)
                is_async = inspect.iscoroutinefunction(self._flow.fn)
                self._emit("flow-run", run=self._flow_run, **{"async": is_async})
                self._flow_state(before)
        elif method == "create_task_run":
            self._task_created(arguments, outcome)
        elif method == "set_flow_run_state":
            if str(arguments["flow_run_id"]) == self._flow_run:
                self._flow_state(_accepted(before, outcome))
            else:
                self._emit("child-state", run=str(arguments["flow_run_id"]), **_shown(_accepted(before, outcome)))
            if before["type"] in FINAL and str(arguments["flow_run_id"]) != self._flow_run:
                self._emit("flow-ended", flow_run=str(arguments["flow_run_id"]))
        else:
            await self._task_state(str(arguments["task_run_id"]), before, outcome)

    def _child(self, arguments: Dict[str, Any], run: Any) -> None:
        """Report a flow that the flow calls, with its parameters."""
        given = arguments.get("parameters") or {}
        self._emit(
            "child",
            run=str(run.id),
            within=str(arguments["parent_task_run_id"]),
            name=text(arguments["flow"].name),
            parameters={
                text(key): {"digest": self._encode(value)["digest"], "text": text(repr(value))}
                for key, value in given.items()
            },
        )

    def _task_created(self, arguments: Dict[str, Any], run: Any) -> None:
        task = arguments["task"]
        delays = task.retry_delay_seconds
        declared = [] if delays is None else list(delays) if isinstance(delays, (list, tuple)) else [delays]
        if getattr(task, "retry_jitter_factor", None):
            self._delays[str(run.id)] = declared
        self._emit(
            "task",
            run=str(run.id),
            name=text(task.name),
            flow_run=str(run.flow_run_id),
            sequential=_flow_around()[1],
            futures=prefect2_waits.futures(),
            key=run.task_key,
            dynamic=run.dynamic_key,
            map=None,
            engine=None,
            upstream=sorted(
                {
                    str(used.id)
                    for inputs in (run.task_inputs or {}).values()
                    for used in inputs
                    if getattr(used, "input_type", None) == "task_run"
                }
            ),
            tags=sorted(text(tag) for tag in run.tags or ()),
            retries=task.retries,
            delays=declared,
            timeout=getattr(task, "timeout_seconds", None),
            caches=task.cache_key_fn is not None,
            expires=task.cache_expiration.total_seconds() if task.cache_expiration else None,
            jitter=getattr(task, "retry_jitter_factor", None),
        )

    async def _task_state(self, run: str, before: Dict[str, Any], outcome: Any) -> None:
        accepted = _accepted(before, outcome)
        fields = {"run": run}  # type: Dict[str, Any]
        if accepted is not before and before["type"] in ("FAILED", "CRASHED"):
            # The engine asked for a final state and was told to retry: the attempt's own outcome.
            await self._add_value(fields, before["type"], before["data"])
            self._emit("task-state", **dict(fields, proposed=True, **_shown(before)))
            fields = {"run": run}
        state = getattr(outcome, "state", None)
        details = getattr(state, "state_details", None)
        if accepted["name"] == "AwaitingRetry" and details is not None and details.scheduled_time is not None:
            fields["delay"] = self._delay(run, state)
        if accepted is before:
            await self._add_value(fields, before["type"], before["data"])
        elif accepted["type"] == "COMPLETED" and state is not None:  # a cache hit
            await self._add_value(fields, "COMPLETED", state.data)
        self._emit("task-state", **dict(fields, **_shown(accepted)))

    def _delay(self, run: str, state: Any) -> float:
        """Seconds asked for; with jitter the declared base, because the jitter itself is drawn at random."""
        declared = self._delays.get(run)
        count = self._retried[run] = self._retried.get(run, 0) + 1
        if declared:
            return float(int(declared[min(count, len(declared)) - 1]))
        return float(round((state.state_details.scheduled_time - state.timestamp).total_seconds()))

    async def _add_value(self, fields: Dict[str, Any], kind: str, data: Any) -> None:
        if kind not in ("COMPLETED", "FAILED", "CRASHED"):
            return
        value = await prefect2_releases.value_of(data)
        if kind == "COMPLETED":
            fields["result"] = self._encode(value)
        elif isinstance(value, BaseException):
            fields["exception"] = exception_info(value)

    def _flow_state(self, state: Dict[str, Any]) -> None:
        self._last = state
        self._emit("flow-state", **_shown(state))

    def finish(self, state: Any) -> None:
        """Report the final state, what the function raised, and the output."""
        if self._last is None or (self._last["type"], self._last["name"]) != (state.type.value, state.name):
            self._flow_state({"type": state.type.value, "name": state.name, "message": text(state.message)})
        if not self._entered and state.is_failed():
            error = state.result(raise_on_failure=False)
            self._emit("rejected", exception=exception_info(error) if isinstance(error, BaseException) else None)
            return
        if self._raised is not None:
            self._emit("flow-exception", exception=exception_info(self._raised))
        elif self._returned_nothing:
            self._emit("returned-nothing")
        elif state.is_completed():
            self._emit("output", name="return", value=self._encode(unwrap(state.result(raise_on_failure=False))))

    def crashed(self, error: BaseException) -> None:
        """Report an exception that left the call of the flow itself; before there was a run it is a refusal."""
        if self._flow_run is None:
            self._emit("rejected", exception=exception_info(error))
            return
        if self._last is None or self._last["type"] not in ("CRASHED", "FAILED", "CANCELLED"):
            self._flow_state({"type": "CRASHED", "name": "Crashed", "message": text(error)})
        self._emit("flow-exception", exception=exception_info(error))


def _flow_around() -> Tuple[Optional[str], bool]:
    """The id of the flow run that this code belongs to, and whether its flow declares a sequential task runner."""
    from prefect.context import FlowRunContext

    context = FlowRunContext.get()
    if context is None or context.flow_run is None or context.flow is None:
        return None, False
    runs = getattr(context.flow.task_runner, "concurrency_type", None)
    return str(context.flow_run.id), getattr(runs, "name", "") == "SEQUENTIAL"


def _shown(state: Dict[str, Any]) -> Dict[str, Any]:
    return {"type": state["type"], "name": state["name"], "message": state["message"]}


def _accepted(before: Dict[str, Any], outcome: Any) -> Dict[str, Any]:
    """The state that the API stored: the proposal, or what it put in its place."""
    state = getattr(outcome, "state", None)
    status = str(getattr(getattr(outcome, "status", None), "value", "ACCEPT"))
    if status == "ACCEPT" or state is None:
        return before
    return {"type": state.type.value, "name": state.name, "message": text(state.message)}


def unwrap(value: Any, depth: int = 20) -> Any:
    """What a flow returned, with states and futures replaced by their values; failed ones by their exceptions."""
    from prefect.futures import PrefectFuture
    from prefect.states import is_state

    if depth == 0:
        return value
    if isinstance(value, PrefectFuture):
        value = prefect2_releases.state_of(value)
    if is_state(value):
        return unwrap(_result_of(value), depth - 1)
    if type(value) in (list, tuple, set):
        return type(value)(unwrap(item, depth - 1) for item in value)
    if type(value) is dict:
        return {key: unwrap(item, depth - 1) for key, item in value.items()}
    return value


def _result_of(state: Any) -> Any:
    try:
        return state.result(raise_on_failure=False)
    except Exception as error:  # a NotReady state has none: Prefect raises instead of answering
        return error
