"""Load, describe, run and trace a Prefect 1 flow (0.15 and 1.x).

The tracer is a pair of runner classes given to ``flow.run``: nothing of the user's flow is changed. Retry delays are
recorded and made due at once.
"""

from __future__ import annotations

import builtins
import contextlib
import inspect
import sys
from typing import Any, Callable, Dict, Iterator, List, Optional

from . import acts, logs, signatures, values
from .clock import Clock
from .faces import declared_value, exception_info, text
from .prefect1_declared import run_config, schedule
from .prefect1_flow_runs import FlowRuns
from .prefect1_graph import role_of, seconds
from .prefect1_targets import Targets
from .prefect1_tracer import Tracer


class Engine(object):
    """Prefect 1 in this process."""

    side = "v1"

    def __init__(self, message: Dict[str, Any]) -> None:
        self._message = message
        self.clock = Clock()

    def start(self) -> Dict[str, Any]:
        """Import Prefect and check that it talks to nobody but this process."""
        import prefect
        from prefect.core.flow import Flow

        builtins.input = _approve  # type: ignore[assignment]  # a paused task asks on stdin; nobody sits there
        self._flow_class = Flow
        self._tracer = None  # type: Optional[Tracer]
        prefect.context.secrets = dict(acts.SECRETS_V1, **(prefect.context.get("secrets") or {}))
        prefect.context.secrets.update(self._message.get("secrets") or {})
        self._acts = acts.Acts(self._act)
        acts.stub_notifications_v1(self._acts)
        logs.install(self._log, self._run_of)
        self.find_flows = _nothing  # type: Callable[[str], Any]
        self._flow_runs = FlowRuns(lambda name: self.find_flows(name), self._unsupported)
        self._flow_runs.install()
        self.clock.install()
        self._targets = Targets(self._message["home"])
        self._targets.install()
        home = str(prefect.config.home_dir)
        if home != self._message["home"]:
            raise RuntimeError("Prefect 1 uses the home %r and not the worker's own" % home)
        return {"prefect": prefect.__version__, "replaced": ["retry delays are recorded and not slept"]}

    def _act(self, name: str, run: Optional[str], state: str, handled: bool) -> None:
        if self._tracer is not None:
            self._tracer.act(name, run, state, handled)

    def _unsupported(self, what: str) -> None:
        if self._tracer is not None:
            self._tracer.unsupported(what)

    def _log(self, level: str, message: str, run: Optional[str]) -> None:
        if self._tracer is not None:
            self._tracer.log(level, message, run)

    @staticmethod
    def _run_of(record: Any) -> Optional[str]:
        import prefect

        slug, index = prefect.context.get("task_slug"), prefect.context.get("map_index")
        return slug if index is None else "%s[%d]" % (slug, index)

    @contextlib.contextmanager
    def loading(self, watch: Any) -> Iterator[None]:
        """Note the flows that come into being; running, registering and serving them does nothing meanwhile."""
        flow_class = self._flow_class
        construct = flow_class.__init__
        saved = {name: getattr(flow_class, name) for name in _ACTS if hasattr(flow_class, name)}

        def __init__(flow: Any, *args: Any, **kwargs: Any) -> None:
            construct(flow, *args, **kwargs)
            if sys._getframe(1).f_code.co_name != "apply_map":  # it builds a flow of its own for each call
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
                "delay": seconds(task.retry_delay),
                "timeout": task.timeout,
                "caches": task.cache_for is not None or bool(task.target),
                "expires": seconds(task.cache_for),
                "tags": sorted(text(tag) for tag in task.tags),
            }
            for task in flow.slugs
            if role_of(task) is None
        ]
        settings = {"executor": declared_value(flow.executor), "schedule": declared_value(flow.schedule)}
        declared = {"schedule": schedule(flow, values.encode), "run_config": run_config(flow)}
        described = {"name": self.name_of(flow), "parameters": parameters, "tasks": tasks, "settings": settings}
        return dict(described, declared=declared)

    def run(
        self,
        flow: Any,
        module: Any,
        parameters: Dict[str, Any],
        outputs: List[str],
        emit: Callable[..., None],
        encode: Callable[[Any], Dict[str, Any]],
        goes_on: bool = False,
    ) -> None:
        """Run the flow once; every state of the flow and of its task runs becomes an event."""
        import prefect
        from prefect.executors import LocalExecutor

        if not goes_on:
            self._targets.forget()
            prefect.context.pop("caches", None)  # kept by Prefect for the life of the process, under the tasks' names
        tracer = Tracer(flow, emit, encode, self._acts)
        tracer.graph(outputs)
        if flow.executor is not None and type(flow.executor).__name__ != "LocalExecutor":
            emit("replaced", text="executor %s by LocalExecutor" % type(flow.executor).__name__)
        if flow.schedule is not None:
            emit("replaced", text="the schedule is not waited for: one run at once")
        self._tracer = tracer
        self._flow_runs.forget()
        self._flow_runs.run_child = tracer.run_child
        prefect.context.setdefault("caches", {})  # here, or it would end with the context of this one run
        try:
            with contextlib.ExitStack() as stack:
                emit("functions", names=stack.enter_context(self._acts.watching(module, lambda: False)))
                stack.enter_context(self._targets.of(flow, emit))
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
        finally:
            self._tracer = None
        tracer.finish(state)


_ACTS = ("run", "register", "run_agent", "serialize_and_register", "deploy", "visualize")


def _nothing(name: str) -> Any:
    return [], []


def _approve(prompt: str = "") -> str:
    return "y"


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
