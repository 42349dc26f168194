"""The tracer of Prefect 1: what happens in one ``flow.run`` becomes events."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Tuple

from .acts import Acts
from .faces import exception_info, text
from .prefect1_graph import declared, output_tasks, role_of

RunKey = Tuple[str, Optional[int]]


class Tracer(object):
    """Turns one ``flow.run`` into events."""

    def __init__(
        self,
        flow: Any,
        emit: Callable[..., None],
        encode: Callable[[Any], Dict[str, Any]],
        acts: Acts,
        prefix: str = "",
    ) -> None:
        self.began = False
        self._prefix = prefix
        self._slugs = {task: prefix + slug for task, slug in flow.slugs.items()}
        self._acts = acts
        self._flow = flow
        self._emit = emit
        self._encode = encode
        self._last = {}  # type: Dict[RunKey, Any]
        self._known = set()  # type: set[RunKey]
        self._names = {slug: task for task, slug in self._slugs.items()}
        self._outputs = []  # type: List[Any]
        self._said = set()  # type: set[str]
        self._children = 0
        self.of = None  # type: Optional[str]

    def replaced(self, what: str) -> None:
        """Say once what stands in for something of the user's."""
        if what not in self._said:
            self._said.add(what)
            self._emit("replaced", text=what)

    def act(self, name: str, run: Optional[str], state: str, handled: bool) -> None:
        """Report what a handler did."""
        self._emit("act", name=name, run=run, state=state, handled=handled)

    def unsupported(self, what: str) -> None:
        """Report a call that needs Prefect Cloud or a server."""
        self._emit("unsupported", text=what)

    def run_child(self, flow: Any, parameters: Dict[str, Any], name: Optional[str]) -> Any:
        """Run a flow that this one asked for, traced like it; its final state."""
        from prefect.executors import LocalExecutor

        self._children += 1
        run = "%sflow-%d" % (self._prefix, self._children)
        shown = {parameter.name: parameter.default for parameter in flow.parameters()}
        shown.update(parameters)
        self._emit(
            "child",
            run=run,
            name=text(flow.name),
            parameters={
                text(key): {"digest": self._encode(value)["digest"], "text": text(repr(value))}
                for key, value in shown.items()
            },
        )
        child = Tracer(flow, self._emit, self._encode, self._acts, run + "/")
        child.graph([])
        child.of = run
        state = flow.run(
            parameters=parameters,
            run_on_schedule=False,
            executor=LocalExecutor(),
            runner_cls=child.flow_runner_class(),
        )
        if state.result is not None and not isinstance(state.result, BaseException):
            child.late_states(state)
        return state

    def log(self, level: str, message: str, run: Optional[str]) -> None:
        """Report a log line of the user's."""
        self._emit("log", level=level, message=message, run=run)

    def graph(self, outputs: List[str]) -> None:
        """Announce every task of the flow, in build order."""
        counts = {}  # type: Dict[str, int]
        self._calls = {}  # type: Dict[str, int]
        terminal = output_tasks(self._flow)
        references = self._flow.reference_tasks()
        if outputs:
            self._outputs = [task for task in self._flow.slugs if task.name in outputs]
        else:
            self._outputs = [
                task for task in self._flow.slugs if task in terminal or (task in references and role_of(task) is None)
            ]
        self._terminal = self._outputs if outputs else terminal
        for task, slug in self._slugs.items():
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
                upstream=sorted(self._slugs[up] for up in self._flow.upstream_tasks(task)),
                reference=task in references,
                **declared(task),
            )

    def flow_runner_class(self) -> Any:
        """A FlowRunner whose task runners report to this tracer."""
        from prefect.engine.flow_runner import FlowRunner
        from prefect.engine.state import Paused, Retrying
        from prefect.engine.task_runner import TaskRunner

        tracer = self

        class TracingTaskRunner(TaskRunner):
            def call_runner_target_handlers(self, old_state: Any, new_state: Any) -> Any:
                with tracer.handling(self.task, new_state):
                    return super().call_runner_target_handlers(old_state=old_state, new_state=new_state)

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
                if isinstance(state, Paused):
                    tracer.replaced("a paused task is resumed at once")
                tracer.task_state(self.task, old_state, state, delay)
                return state

        class TracingFlowRunner(FlowRunner):
            def __init__(self, flow: Any, task_runner_cls: Any = None, state_handlers: Any = None) -> None:
                super().__init__(flow, task_runner_cls=TracingTaskRunner, state_handlers=state_handlers)

            def call_runner_target_handlers(self, old_state: Any, new_state: Any) -> Any:
                with tracer.handling(None, new_state):
                    return super().call_runner_target_handlers(old_state=old_state, new_state=new_state)

            def handle_state_change(self, old_state: Any, new_state: Any) -> Any:
                state = super().handle_state_change(old_state=old_state, new_state=new_state)
                tracer.flow_state(state)
                return state

        return TracingFlowRunner

    def handling(self, task: Any, state: Any) -> Any:
        """While the state handlers of a task, or of the flow, are called."""
        import prefect

        slug, index = (None, None) if task is None else (self._slugs.get(task), prefect.context.get("map_index"))
        return self._acts.about(slug if index is None else "%s[%d]" % (slug, index), type(state).__name__)

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
        slug = self._prefix + context["task_slug"] if context.get("task_slug") else self._slugs[task]
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
                upstream=sorted(self._slugs[up] for up in self._flow.upstream_tasks(task)),
                reference=task in self._flow.reference_tasks(),
                **declared(task),
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
        fields = {"type": type(state).__name__, "name": type(state).__name__, "message": text(state.message)}
        if self.of is None:
            self._emit("flow-state", **fields)
        else:
            self._emit("child-state", run=self.of, **fields)

    def finish(self, state: Any) -> None:
        """Report what no handler saw, and the output."""
        if getattr(self, "_final", None) is None or type(self._final) is not type(state):
            self.flow_state(state)
        if isinstance(state.result, BaseException):  # the engine itself stumbled
            self._emit("flow-exception", exception=exception_info(state.result))
            return
        self.late_states(state)
        from prefect.engine.signals import PrefectStateSignal

        for task in self._outputs:
            found = state.result.get(task)
            if found is None or not found.is_finished():
                continue
            fields = {"name": text(task.name), "run": self._slugs[task]}  # type: Dict[str, Any]
            fields["terminal"] = task in self._terminal
            fields["reference"] = task in self._flow.reference_tasks()
            if found.is_mapped():
                results = [child.result for child in found.map_states]
                fields["value"] = self._encode([None if isinstance(r, PrefectStateSignal) else r for r in results])
            self._emit("output", **fields)

    def late_states(self, state: Any) -> None:
        """Report the states of tasks that no handler saw."""
        for task, slug in self._slugs.items():
            found = state.result.get(task)
            if found is None:
                continue
            self._late(slug, None, found)
            for index, child in enumerate(found.map_states if found.is_mapped() else ()):
                if child is not None:
                    self._late(slug, index, child)

    def _late(self, slug: str, index: Optional[int], state: Any) -> None:
        last = self._last.get((slug, index))
        untouched = last is None and type(state).__name__ == "Pending"
        if last is not state and type(last) is not type(state) and not untouched:
            self._report(slug, index, state)


def _is_success(state: Any) -> bool:
    return state is not None and state.is_successful()
