"""Load, describe, run and trace a Prefect 2 flow.

The tracer wraps four methods of the client class: every state that the engine proposes passes there, with the live
value or exception, and comes back as what the API accepted. Retry delays are recorded and not waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import os
import shutil
import sqlite3
from typing import Any, Callable, Dict, Iterator, List, Optional

from . import (
    acts,
    logs,
    prefect2_engine,
    prefect2_kept,
    prefect2_pauses,
    prefect2_releases,
    prefect2_waits,
    signatures,
    values,
)
from .clock import Clock, start_on_the_second
from .faces import declared_value, exception_info, text
from .prefect2_declared import Deployments
from .prefect2_resources import Resources
from .prefect2_secrets import keep_secrets
from .prefect2_tracer import Tracer


class Engine(object):
    """Prefect 2 in this process, with an API and a database of its own."""

    side = "v2"

    def __init__(self, message: Dict[str, Any]) -> None:
        self._message = message
        self.clock = Clock(stamps=True)
        self.find_flows = None  # type: Any
        self._tracer = None  # type: Optional[Tracer]
        self._deployments = Deployments(message["root"], values.encode)
        self._runs = 0

    def start(self) -> Dict[str, Any]:
        """Import Prefect, check that it talks to its own API only, and open that API."""
        prefect2_releases.name_settings()
        import prefect
        from prefect.flows import Flow
        from prefect.settings import PREFECT_API_URL, PREFECT_HOME

        self._flow_class = Flow
        home = str(PREFECT_HOME.value())
        if os.path.realpath(home) != os.path.realpath(self._message["home"]):
            raise RuntimeError("Prefect 2 uses the home %r and not the worker's own" % home)
        if PREFECT_API_URL.value():
            raise RuntimeError("Prefect 2 would talk to %r and not to its own API" % PREFECT_API_URL.value())
        replaced = ["retry delays are recorded and not slept"]
        replaced.extend(prefect2_engine.warm_up())
        self._patch_client()
        self._patch_waiting()
        prefect2_pauses.install()
        prefect2_waits.install(lambda: self._tracer)
        self._resources = Resources(lambda: self._tracer)
        self._resources.install()
        self._acts = acts.Acts(self._act)
        acts.stub_notifications_v2(self._acts)
        logs.install(self._log, _run_of)
        self.clock.install()
        start_on_the_second()
        self.clock.step = prefect2_releases.clock_step()
        keep_secrets(self._message.get("secrets") or {})
        self._patch_hooks()
        self._hold_deployments()
        self._patch_task_runners()
        return {"prefect": prefect.__version__, "replaced": replaced}

    def _patch_client(self) -> None:
        PrefectClient = prefect2_releases.client_class()

        def wrap(name: str) -> None:
            original = getattr(PrefectClient, name)
            signature = inspect.signature(original)

            @functools.wraps(original)
            async def traced(client: Any, *args: Any, **kwargs: Any) -> Any:
                tracer = self._tracer
                if tracer is None:
                    return await original(client, *args, **kwargs)
                arguments = signature.bind(client, *args, **kwargs).arguments
                before = tracer.before(name, arguments)
                outcome = await original(client, *args, **kwargs)
                await tracer.after(name, arguments, before, outcome)
                if name == "set_flow_run_state" and before["type"] == "PAUSED":
                    tracer.replaced("a paused flow run is resumed at once")
                    await prefect2_pauses.resume(client, arguments["flow_run_id"])
                return outcome

            setattr(PrefectClient, name, traced)

        for name in ("create_flow_run", "create_task_run", "set_task_run_state", "set_flow_run_state"):
            wrap(name)

    def _act(self, name: str, run: Optional[str], state: str, handled: bool) -> None:
        if self._tracer is not None:
            self._tracer.act(name, run, state, handled)

    def _log(self, level: str, message: str, run: Optional[str]) -> None:
        if self._tracer is not None:
            self._tracer.log(level, message, run)

    def _patch_hooks(self) -> None:
        """Know for what a hook is called (2.20.26 engine.py)."""
        import prefect.engine as engine

        def wrap(name: str, about: Callable[[Any], Optional[str]]) -> None:
            original = getattr(engine, name, None)
            if original is None:
                return
            signature = inspect.signature(original)

            @functools.wraps(original)
            async def hooked(*args: Any, **kwargs: Any) -> Any:
                arguments = signature.bind(*args, **kwargs).arguments
                with self._acts.about(about(arguments), arguments["state"].name):
                    return await original(*args, **kwargs)

            setattr(engine, name, hooked)

        wrap("_run_task_hooks", lambda arguments: str(arguments["task_run"].id))
        wrap("_run_flow_hooks", lambda arguments: None)

    def _hold_deployments(self) -> None:
        """``run_deployment`` asks an API for a deployment and a worker to run it; there is neither."""
        import prefect.deployments as deployments

        def run_deployment(name: Any, *args: Any, **kwargs: Any) -> Any:
            what = "run_deployment(%r): no worker runs deployments here; call the flow itself" % (name,)
            if self._tracer is not None:
                self._tracer.unsupported(what)
            raise RuntimeError(what)

        for module in (deployments, getattr(deployments, "deployments", None)):
            if module is not None and hasattr(module, "run_deployment"):
                module.run_deployment = run_deployment

    def _patch_waiting(self) -> None:
        core_policy = prefect2_releases.server("orchestration.core_policy")

        async def before_transition(rule: Any, *args: Any, **kwargs: Any) -> None:
            return None  # the state keeps its true scheduled time; only the wait for it is left out

        core_policy.WaitForScheduledTime.before_transition = before_transition

    def _patch_task_runners(self) -> None:
        """Task runs follow one another in one thread of events, also in subflows: the same order on every run."""
        import prefect.task_runners as task_runners

        def sequential(runner: Any) -> Any:
            if type(runner) is not task_runners.SequentialTaskRunner and self._tracer is not None:
                self._tracer.replaced("task runner %s by SequentialTaskRunner" % type(runner).__name__)
            return task_runners.SequentialTaskRunner()

        if not hasattr(task_runners.BaseTaskRunner, "duplicate"):
            prefect2_releases.runners_start_as(sequential)
            return
        for runner_class in [task_runners.BaseTaskRunner] + task_runners.BaseTaskRunner.__subclasses__():
            runner_class.duplicate = sequential

    @contextlib.contextmanager
    def loading(self, watch: Any) -> Iterator[None]:
        """Note the flows that come into being; running, deploying and serving them does nothing meanwhile."""
        import prefect
        from prefect.context import PrefectObjectRegistry

        flow_class = self._flow_class
        construct = flow_class.__init__
        saved = [
            (owner, name, owner.__dict__[name])
            for owner, names in ((flow_class, _ACTS), (prefect, _FUNCTIONS))
            for name in names
            if name in owner.__dict__
        ]

        def __init__(flow: Any, *args: Any, **kwargs: Any) -> None:
            construct(flow, *args, **kwargs)
            watch.constructed(flow)

        def held_back(name: str) -> Callable[..., None]:
            def instead(*args: Any, **kwargs: Any) -> None:
                watch.hold_back("%s()" % name)
                self._deployments.serve(*args, **kwargs)

            return instead

        flow_class.__init__ = __init__
        for owner, name, _ in saved:
            shown = "a flow" if name == "__call__" else name
            setattr(owner, name, held_back(shown))
        try:
            with PrefectObjectRegistry(block_code_execution=True):
                yield
        finally:
            flow_class.__init__ = construct
            for owner, name, value in saved:
                setattr(owner, name, value)

    def is_flow(self, value: Any) -> bool:
        """Whether this is a flow object."""
        return isinstance(value, self._flow_class)

    def name_of(self, flow: Any) -> str:
        """The flow's name as text."""
        return text(flow.name)

    def describe(self, flow: Any, module: Any) -> Dict[str, Any]:
        """Parameters, the tasks of the module, and declared settings; calls are known only from a run."""
        from prefect.tasks import Task

        tasks = [
            {
                "name": text(task.name),
                "retries": task.retries,
                "delay": task.retry_delay_seconds if not callable(task.retry_delay_seconds) else None,
                "timeout": getattr(task, "timeout_seconds", None),
                "caches": task.cache_key_fn is not None,
                "expires": task.cache_expiration.total_seconds() if task.cache_expiration else None,
                "tags": sorted(text(tag) for tag in task.tags),
            }
            for task in vars(module).values()
            if isinstance(task, Task)
        ]
        settings = {
            "task_runner": declared_value(flow.task_runner),
            "retries": getattr(flow, "retries", None) or 0,
            "timeout": flow.timeout_seconds,
            "async": bool(flow.isasync),
        }
        parameters = signatures.describe_signature(flow.fn)
        deployments = self._deployments.of(flow, module)
        declared = {
            "deployments": deployments,
            "others": self._deployments.any(),
            "problems": self._deployments.astray(module),
        }
        described = {"name": self.name_of(flow), "parameters": parameters, "tasks": tasks, "settings": settings}
        return dict(described, declared=declared, notes=list(self._deployments.problems))

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
        from prefect.utilities.callables import get_call_parameters

        if not goes_on:
            self._forget_earlier_runs()
        self._resources.watch_modules()
        tracer = Tracer(flow, emit, encode)
        try:
            # Not flow(**parameters): a parameter may be named return_state, wait_for or self.
            bound = get_call_parameters(flow.fn, (), parameters)
        except Exception as error:
            emit("rejected", exception=exception_info(error))
            return
        self._tracer = tracer
        try:
            with self._acts.watching(module, _in_flow) as names:
                emit("functions", names=names)
                answer = prefect2_releases.call_flow(tracer.watched_flow(), bound)
                state = asyncio.run(_awaited(answer)) if inspect.isawaitable(answer) else answer
            tracer.finish(state)
        except BaseException as error:
            tracer.crashed(error)
        finally:
            self._tracer = None

    def keep(self, run: str, home: str) -> str:
        """Copy a flow run into the database of another home; the run's name."""
        return prefect2_kept.keep(os.path.join(self._message["home"], "prefect.db"), home, run)

    def _forget_earlier_runs(self) -> None:
        """Results cached by an earlier case must not answer in this one; old runs only make the database grow."""
        shutil.rmtree(os.path.join(self._message["home"], "storage"), ignore_errors=True)
        tables = ["task_run_state_cache"]
        self._runs += 1
        if self._runs % KEPT_RUNS == 0:
            tables += ["task_run_state", "task_run", "flow_run_state", "flow_run"]
        database = sqlite3.connect(os.path.join(self._message["home"], "prefect.db"), timeout=30)
        try:
            with database:
                for table in tables:
                    database.execute("DELETE FROM %s" % table)
        finally:
            database.close()


KEPT_RUNS = 25
"""How many runs at most lie in a worker's database."""

_ACTS = ("__call__", "_run", "serve", "deploy", "visualize", "from_source")
_FUNCTIONS = ("serve", "deploy")


def _in_flow() -> bool:
    from prefect.context import FlowRunContext, TaskRunContext

    return FlowRunContext.get() is not None and TaskRunContext.get() is None


def _run_of(record: Any) -> Optional[str]:
    from prefect.context import TaskRunContext

    context = TaskRunContext.get()
    return str(context.task_run.id) if context is not None else getattr(record, "task_run_id", None)


async def _awaited(answer: Any) -> Any:
    return await answer
