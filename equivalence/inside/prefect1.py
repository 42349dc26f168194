"""Load, describe, run and trace a Prefect 1 flow (0.15 and 1.x).

The tracer is a pair of runner classes given to ``flow.run``: nothing of the user's flow is changed. Retry delays are
recorded and made due at once.
"""

from __future__ import annotations

import builtins
import contextlib
import inspect
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from . import signatures
from .faces import declared_value, exception_info, text

RunKey = Tuple[str, Optional[int]]


class Engine(object):
    """Prefect 1 in this process."""

    side = "v1"

    def __init__(self, message: Dict[str, Any]) -> None:
        self._message = message

    def start(self) -> Dict[str, Any]:
        """Import Prefect and check that it talks to nobody but this process."""
        import prefect
        from prefect.core.flow import Flow

        builtins.input = _approve  # type: ignore[assignment]  # a paused task asks on stdin; nobody sits there
        self._flow_class = Flow
        home = str(prefect.config.home_dir)
        if home != self._message["home"]:
            raise RuntimeError("Prefect 1 uses the home %r and not the worker's own" % home)
        return {"prefect": prefect.__version__, "replaced": ["retry delays are recorded and not slept"]}

    @contextlib.contextmanager
    def loading(self, watch: Any) -> Iterator[None]:
        """Note the flows that come into being; running, registering and serving them does nothing meanwhile."""
        flow_class = self._flow_class
        construct = flow_class.__init__
        saved = {name: getattr(flow_class, name) for name in _ACTS if hasattr(flow_class, name)}

        def __init__(flow: Any, *args: Any, **kwargs: Any) -> None:
            construct(flow, *args, **kwargs)
            watch.constructed(flow)

        def held_back(name: str) -> Callable[..., None]:
            return lambda flow, *args, **kwargs: watch.hold_back("flow.%s()" % name)

        flow_class.__init__ = __init__
        for name in saved:
            setattr(flow_class, name, held_back(name))
        try:
            yield
        finally:
            flow_class.__init__ = construct
            for name, value in saved.items():
                setattr(flow_class, name, value)

    def is_flow(self, value: Any) -> bool:
        """Whether this is a flow object."""
        return isinstance(value, self._flow_class)

    def name_of(self, flow: Any) -> str:
        """The flow's name as text."""
        return text(flow.name)

    def describe(self, flow: Any, module: Any) -> Dict[str, Any]:
        """Parameters, tasks and declared settings; the graph is complete before the run."""
        parameters = []
        for parameter in sorted(flow.parameters(), key=lambda parameter: flow.slugs[parameter]):
            consumers = [
                annotation
                for edge in flow.edges_from(parameter)
                for annotation in [_annotation(edge.downstream_task, edge.key)]
                if annotation is not None and not edge.mapped
            ]
            described = signatures.describe_parameter(parameter.name, parameter.default, parameter.required, consumers)
            described["datetime_parameter"] = type(parameter).__name__ == "DateTimeParameter"
            parameters.append(described)
        tasks = [
            {
                "name": text(task.name),
                "retries": task.max_retries,
                "delay": _seconds(task.retry_delay),
                "timeout": task.timeout,
                "tags": sorted(text(tag) for tag in task.tags),
            }
            for task in flow.slugs
            if role_of(task) is None
        ]
        settings = {"executor": declared_value(flow.executor), "schedule": declared_value(flow.schedule)}
        return {"name": self.name_of(flow), "parameters": parameters, "tasks": tasks, "settings": settings}

    def run(
        self,
        flow: Any,
        parameters: Dict[str, Any],
        outputs: List[str],
        emit: Callable[..., None],
        encode: Callable[[Any], Dict[str, Any]],
    ) -> None:
        """Run the flow once; every state of the flow and of its task runs becomes an event."""
        import prefect
        from prefect.executors import LocalExecutor

        prefect.context.pop("caches", None)  # kept by Prefect for the life of the process, under the tasks' names
        tracer = Tracer(flow, emit, encode)
        tracer.graph(outputs)
        if flow.executor is not None and type(flow.executor).__name__ != "LocalExecutor":
            emit("replaced", text="executor %s by LocalExecutor" % type(flow.executor).__name__)
        if flow.schedule is not None:
            emit("replaced", text="the schedule is not waited for: one run at once")
        try:
            state = flow.run(
                parameters=parameters,
                run_on_schedule=False,
                executor=LocalExecutor(),
                runner_cls=tracer.flow_runner_class(),
            )
        except BaseException as error:
            if tracer.began:
                tracer.crashed(error)
                emit("flow-state", type="Crashed", name="Crashed", message=text(error))
                emit("flow-exception", exception=exception_info(error))
            else:
                emit("rejected", exception=exception_info(error))
            return
        tracer.finish(state)


_ACTS = ("run", "register", "run_agent", "serialize_and_register", "deploy", "visualize")


def _approve(prompt: str = "") -> str:
    return "y"


def _seconds(delay: Any) -> Any:
    return delay.total_seconds() if hasattr(delay, "total_seconds") else delay


def _annotation(task: Any, key: Optional[str]) -> Any:
    if key is None:
        return None
    try:
        parameter = inspect.signature(task.run).parameters.get(key)
    except (TypeError, ValueError):
        return None
    if parameter is None or parameter.annotation is inspect.Parameter.empty:
        return None
    return parameter.annotation


def role_of(task: Any) -> Optional[str]:
    """What a task is when Prefect 1 made it and not the user: its role in a word; None for the user's own.

    The classes are those of 1.4.1: core/parameter.py, tasks/core, tasks/control_flow, tasks/secrets.
    """
    module, name = type(task).__module__, type(task).__name__
    if name in ("Parameter", "DateTimeParameter") and module == "prefect.core.parameter":
        return "parameter"
    if module == "prefect.tasks.core.constants":
        return "constant"
    if module == "prefect.tasks.core.collections":
        return "collection"
    if module == "prefect.tasks.core.operators":
        return "operator"
    if module == "prefect.tasks.core.resource_manager":
        return {"ResourceInitTask": "resource-init", "ResourceSetupTask": "resource-setup"}.get(
            name, "resource-cleanup"
        )
    if module == "prefect.tasks.control_flow.conditional":
        return "merge" if name == "Merge" else "condition"
    if module.startswith("prefect.tasks.control_flow.") and name == "AsBool":
        return "condition"
    if module.startswith("prefect.tasks.secrets"):
        return "secret"
    if name == "FunctionTask" and getattr(getattr(task, "run", None), "__module__", "") == (
        "prefect.tasks.control_flow.conditional"
    ):
        return "condition"
    return None


BARE_ROLES = ("parameter", "constant", "secret", "condition", "resource-init", "resource-setup", "resource-cleanup")


def output_tasks(flow: Any) -> List[Any]:
    """The tasks whose results stand for the flow's output, in build order: its terminal tasks.

    Engine-made terminal tasks that only hand on give way to what feeds them: an unpacked tuple ends in ``GetItem``
    tasks, of which the unused ones are terminal although the task behind them is not. A ``merge``, an operator and
    an item that was asked for by hand (``task["key"]``) count as themselves.
    """

    def hands_on(task: Any) -> bool:
        if role_of(task) == "operator":
            return type(task).__name__ == "GetItem" and any(up.nout for up in flow.upstream_tasks(task))
        return role_of(task) == "collection"

    def own(task: Any) -> List[Any]:
        if hands_on(task):
            return [feeder for upstream in flow.upstream_tasks(task) for feeder in own(upstream)]
        return [] if role_of(task) in BARE_ROLES else [task]

    def feeds(task: Any) -> bool:
        return any(
            feeds(down) if hands_on(down) else role_of(down) not in BARE_ROLES for down in flow.downstream_tasks(task)
        )

    candidates = {task for terminal in flow.terminal_tasks() for task in own(terminal)}
    return [task for task in flow.slugs if task in candidates and not feeds(task)]


class Tracer(object):
    """Turns one ``flow.run`` into events."""

    def __init__(self, flow: Any, emit: Callable[..., None], encode: Callable[[Any], Dict[str, Any]]) -> None:
        self.began = False
        self._flow = flow
        self._emit = emit
        self._encode = encode
        self._last = {}  # type: Dict[RunKey, Any]
        self._known = set()  # type: set[RunKey]
        self._names = {slug: task for task, slug in flow.slugs.items()}
        self._outputs = []  # type: List[Any]

    def graph(self, outputs: List[str]) -> None:
        """Announce every task of the flow, in build order."""
        counts = {}  # type: Dict[str, int]
        self._calls = {}  # type: Dict[str, int]
        terminal = output_tasks(self._flow)
        wanted = [task for task in self._flow.slugs if task.name in outputs] if outputs else terminal
        self._outputs = wanted
        references = self._flow.reference_tasks()
        for task, slug in self._flow.slugs.items():
            call = counts.get(task.name, 0)
            counts[task.name] = call + 1
            self._calls[slug] = call
            self._known.add((slug, None))
            self._emit(
                "task",
                run=slug,
                name=text(task.name),
                call=call,
                map=None,
                engine=role_of(task),
                upstream=sorted(self._flow.slugs[up] for up in self._flow.upstream_tasks(task)),
                reference=task in references,
                **_declared(task),
            )

    def flow_runner_class(self) -> Any:
        """A FlowRunner whose task runners report to this tracer."""
        from prefect.engine.flow_runner import FlowRunner
        from prefect.engine.state import Retrying
        from prefect.engine.task_runner import TaskRunner

        tracer = self

        class TracingTaskRunner(TaskRunner):
            # Prefect calls this with keywords: other parameter names would make the user's flow Failed.
            def handle_state_change(self, old_state: Any, new_state: Any) -> Any:
                try:
                    state = super().handle_state_change(old_state=old_state, new_state=new_state)
                except BaseException as error:  # a state handler of the user's raised; a signal carries its state
                    tracer.task_state(self.task, old_state, getattr(error, "state", None) or new_state)
                    raise
                delay = None
                if isinstance(state, Retrying):
                    delay = tracer.collapse(self.task, old_state, state)
                tracer.task_state(self.task, old_state, state, delay)
                return state

        class TracingFlowRunner(FlowRunner):
            def __init__(self, flow: Any, task_runner_cls: Any = None, state_handlers: Any = None) -> None:
                super().__init__(flow, task_runner_cls=TracingTaskRunner, state_handlers=state_handlers)

            def handle_state_change(self, old_state: Any, new_state: Any) -> Any:
                state = super().handle_state_change(old_state=old_state, new_state=new_state)
                tracer.flow_state(state)
                return state

        return TracingFlowRunner

    def collapse(self, task: Any, old_state: Any, state: Any) -> float:
        """Make a retry due now; the delay in seconds that was asked for.

        The engine's own retry has the task's declared delay, exactly. A ``signals.RETRY`` has a time of its own,
        which is some milliseconds nearer by now.
        """
        import pendulum

        now = pendulum.now("utc")
        asked = (state.start_time - now).total_seconds() if state.start_time is not None else 0.0
        state.start_time = now
        if old_state.is_failed() and hasattr(task.retry_delay, "total_seconds"):
            return float(task.retry_delay.total_seconds())
        return float(round(asked)) if asked > 0 else 0.0

    def task_state(self, task: Any, old_state: Any, state: Any, delay: Optional[float] = None) -> None:
        """Report one state of the task run that the context names."""
        import prefect

        context = prefect.context
        slug = context.get("task_slug") or self._flow.slugs.get(task)
        self._report(slug, context.get("map_index"), state, delay)

    def _report(self, slug: str, index: Optional[int], state: Any, delay: Optional[float] = None) -> None:
        key = (slug, index)
        run = slug if index is None else "%s[%d]" % (slug, index)
        if key not in self._known:
            self._known.add(key)
            task = self._names[slug]
            self._emit(
                "task",
                run=run,
                name=text(task.name),
                call=self._calls[slug],
                map=index,
                engine=role_of(task),
                upstream=sorted(self._flow.slugs[up] for up in self._flow.upstream_tasks(task)),
                reference=task in self._flow.reference_tasks(),
                **_declared(task),
            )
        before = self._last.get(key)
        self._last[key] = state
        fields = {"run": run, "type": type(state).__name__, "name": type(state).__name__}  # type: Dict[str, Any]
        fields["message"] = text(state.message)
        if delay is not None:
            fields["delay"] = delay
        result = state.result
        if state.is_failed():
            if isinstance(result, BaseException):
                fields["exception"] = exception_info(result)
        elif state.is_successful() and not state.is_mapped() and not _is_success(before):
            fields["result"] = self._result(result)
        self._emit("task-state", **fields)

    def _result(self, result: Any) -> Dict[str, Any]:
        """A result as an envelope. ``raise SUCCESS("done")`` leaves the signal itself as the result: it says None."""
        from prefect.engine.signals import PrefectStateSignal

        if not isinstance(result, PrefectStateSignal):
            return self._encode(result)
        envelope = self._encode(None)
        envelope["skews"] = dict(envelope["skews"], **{"signal-result": 1})
        return envelope

    def crashed(self, error: BaseException) -> None:
        """Report what was running when an exception left ``flow.run``: Prefect 1 has no state for that."""
        for (slug, index), state in list(self._last.items()):
            if state.is_running():
                self._emit(
                    "task-state",
                    run=slug if index is None else "%s[%d]" % (slug, index),
                    type="Crashed",
                    name="Crashed",
                    message=text(error),
                    exception=exception_info(error),
                )

    def flow_state(self, state: Any) -> None:
        """Report one state of the flow."""
        self.began = True
        self._final = state
        self._emit("flow-state", type=type(state).__name__, name=type(state).__name__, message=text(state.message))

    def finish(self, state: Any) -> None:
        """Report what no handler saw, and the output."""
        if getattr(self, "_final", None) is None or type(self._final) is not type(state):
            self.flow_state(state)
        if isinstance(state.result, BaseException):  # the engine itself stumbled
            self._emit("flow-exception", exception=exception_info(state.result))
            return
        for task, slug in self._flow.slugs.items():
            found = state.result.get(task)
            if found is None:
                continue
            self._late(slug, None, found)
            for index, child in enumerate(found.map_states if found.is_mapped() else ()):
                if child is not None:
                    self._late(slug, index, child)
        from prefect.engine.signals import PrefectStateSignal

        for task in self._outputs:
            found = state.result.get(task)
            if found is None or not found.is_finished():
                continue
            fields = {"name": text(task.name), "run": self._flow.slugs[task]}  # type: Dict[str, Any]
            if found.is_mapped():
                results = [child.result for child in found.map_states]
                fields["value"] = self._encode([None if isinstance(r, PrefectStateSignal) else r for r in results])
            self._emit("output", **fields)

    def _late(self, slug: str, index: Optional[int], state: Any) -> None:
        last = self._last.get((slug, index))
        untouched = last is None and type(state).__name__ == "Pending"
        if last is not state and type(last) is not type(state) and not untouched:
            self._report(slug, index, state)


def _declared(task: Any) -> Dict[str, Any]:
    delay = _seconds(task.retry_delay)
    return {
        "retries": task.max_retries,
        "delays": [float(delay)] if isinstance(delay, (int, float)) else [],
        "timeout": task.timeout,
    }


def _is_success(state: Any) -> bool:
    return state is not None and state.is_successful()
