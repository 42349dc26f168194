"""Flow-of-flows of Prefect 1 without a backend: the child flow runs in this worker, as the parent asks for it.

Stands in for ``create_flow_run``, ``wait_for_flow_run``, ``get_task_run_result`` and ``StartFlowRun`` (1.4.1
tasks/prefect/flow_run.py). Everything else that asks Cloud or a server is reported as what cannot be done here.
"""

from __future__ import annotations

import functools
import uuid
from typing import Any, Callable, Dict, List, Optional, Tuple  # noqa: F401 - used in comments

LEAKING = ("map_index", "task_slug", "task_name", "task_full_name", "task_run_count", "task_loop_count", "parameters")
"""What an inner ``flow.run`` would find of the outer task in its context."""


class Unsupported(Exception):
    """A call that needs Prefect Cloud or a server."""


class FlowRuns(object):
    """The child runs of one worker; ``run_child(flow, parameters, name)`` runs a flow and gives its state."""

    def __init__(self, find: Callable[[str], Tuple[List[Any], List[str]]], unsupported: Callable[[str], None]) -> None:
        self._find = find
        self._unsupported = unsupported
        self._done = {}  # type: Dict[str, Any]
        self.run_child = None  # type: Optional[Callable[[Any, Dict[str, Any], Optional[str]], Any]]

    def install(self) -> None:
        """Put the stand-ins in place; before any flow file is loaded, since calling a task copies it."""
        try:
            import prefect.tasks.prefect.flow_run as module
        except ImportError:  # before 0.15
            return
        self._module = module
        for name in ("create_flow_run", "wait_for_flow_run", "get_task_run_result"):
            task = getattr(module, name, None)
            if task is not None:
                task.run = _in_place_of(task.run, getattr(self, name))
        start = module.StartFlowRun.run

        @functools.wraps(start)
        def start_flow_run(task: Any, **given: Any) -> Any:
            def wanted(name: str, default: Any = None) -> Any:
                value = given.get(name)
                return value if value is not None else getattr(task, name, default)

            run_id = self.create_flow_run(
                flow_name=wanted("flow_name"), parameters=wanted("parameters"), run_name=wanted("run_name")
            )
            if not task.wait:
                return run_id
            state = self._done[run_id].state
            raise _signal(state)

        module.StartFlowRun.run = start_flow_run
        self._hold_clients()

    def forget(self) -> None:
        """Runs of an earlier case are nobody's children."""
        self._done.clear()

    def create_flow_run(
        self,
        flow_id: Any = None,
        flow_name: Any = None,
        project_name: str = "",
        parameters: Any = None,
        context: Any = None,
        labels: Any = None,
        run_name: Any = None,
        run_config: Any = None,
        scheduled_start_time: Any = None,
        idempotency_key: Any = None,
    ) -> str:
        """Run the flow of this name now; the id of the run."""
        import prefect

        if flow_id is not None and flow_name is None:
            self._cannot("create_flow_run(flow_id=%r): only a backend knows flows by id; give flow_name" % flow_id)
        found, known = self._find(str(flow_name))
        if not found:
            names = ", ".join(sorted(set(known))) or "none"
            self._cannot(
                "create_flow_run: no flow file of this side holds a flow %r; there are: %s" % (flow_name, names)
            )
        if len(found) > 1:
            self._cannot("create_flow_run: %d flow files of this side hold a flow %r" % (len(found), flow_name))
        flow = found[0]
        given = dict(parameters or {})
        assert self.run_child is not None
        kept = {name: prefect.context.pop(name) for name in LEAKING if name in prefect.context}
        try:
            with prefect.context(dict(context or {})):
                state = self.run_child(flow, given, run_name)
        finally:
            prefect.context.update(kept)
        run_id = str(uuid.uuid5(uuid.NAMESPACE_URL, "%s-%d" % (flow.name, len(self._done))))
        self._done[run_id] = View(run_id, flow, given, run_name, state)
        return run_id

    def wait_for_flow_run(
        self,
        flow_run_id: str,
        stream_states: bool = True,
        stream_logs: bool = False,
        raise_final_state: bool = False,
        max_duration: Any = None,
    ) -> Any:
        """The finished run; raises its final state as a signal where that was asked for."""
        view = self._view(flow_run_id)
        if raise_final_state:
            raise _signal(view.state, view)
        return view

    def get_task_run_result(self, flow_run_id: str, task_slug: str, map_index: int = -1, poll_time: int = 5) -> Any:
        """The result of a task of the child."""
        view = self._view(flow_run_id)
        for task, slug in view.flow.slugs.items():
            if slug == task_slug:
                state = view.state.result[task]
                state = state.map_states[map_index] if map_index >= 0 else state
                return state.result if state.is_successful() else None  # what failed has stored nothing
        slugs = ", ".join(view.flow.slugs.values())
        raise ValueError("the flow %r has no task %r; it has: %s" % (view.flow.name, task_slug, slugs))

    def _view(self, run_id: str) -> Any:
        if run_id not in self._done:
            self._cannot("a flow run %r that this case did not create" % run_id)
        return self._done[run_id]

    def _cannot(self, what: str) -> None:
        self._unsupported(what)
        raise Unsupported(what)

    def _hold_clients(self) -> None:
        """A client of Cloud or a server, made while a flow runs, is nothing that could be compared."""
        from prefect.client.client import Client

        def __init__(client: Any, *args: Any, **kwargs: Any) -> None:
            self._cannot("prefect.Client: it asks Prefect Cloud or a server")

        Client.__init__ = __init__


def _in_place_of(original: Any, stand_in: Any) -> Any:
    @functools.wraps(original)  # Prefect asks for its signature
    def answered(*args: Any, **kwargs: Any) -> Any:
        return stand_in(*args, **kwargs)

    return answered


class View(object):
    """What ``wait_for_flow_run`` gives: the run as far as a local one has it (1.4.1 backend/flow_run.py)."""

    def __init__(self, run_id: str, flow: Any, parameters: Dict[str, Any], name: Any, state: Any) -> None:
        self.flow_run_id = run_id
        self.flow = flow
        self.name = name
        self.parameters = parameters
        self.state = state
        self.labels = set()  # type: set[str]

    def get_latest(self) -> Any:
        """The run itself: it is over."""
        return self


def _signal(state: Any, result: Any = None) -> BaseException:
    from prefect.engine.signals import signal_from_state

    made = signal_from_state(state)(message=state.message, result=result)  # type: BaseException
    return made
