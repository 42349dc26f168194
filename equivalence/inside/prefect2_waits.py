"""What the flow function of a Prefect 2 flow waits for: the runs that are certainly over before the next one begins.

The worker runs tasks one after another, so the order in which they ran proves nothing: under the runner that the flow
declares, a submitted task runs beside others unless its inputs or a wait order it.
"""

from __future__ import annotations

import contextvars
import functools
import sys
from typing import Any, Callable, List, Optional

_submitting = contextvars.ContextVar("equivalence_submitting", default=False)  # type: contextvars.ContextVar[bool]
_futures = contextvars.ContextVar("equivalence_futures", default=None)  # type: contextvars.ContextVar[Optional[List[Any]]]


def install(tracer: Callable[[], Any]) -> None:
    """Report each wait of the user's: a called task, ``.wait()``, ``.result()``, mapping over a future.

    Not those of the engine while it submits: it waits for the inputs of the task, and, since the runner is sequential
    here, for the task itself (2.20.26 engine.py, ``create_task_run_future``).
    """
    import prefect.engine as engine
    from prefect.futures import PrefectFuture

    # Before 2.6 nothing lies between the call of a task and its submission.
    name = "create_task_run_future" if hasattr(engine, "create_task_run_future") else "submit_task_run"
    submit = getattr(engine, name, None)
    wait = getattr(PrefectFuture, "_wait", None)
    if submit is None or wait is None:
        return

    @functools.wraps(submit)
    async def create_task_run_future(*args: Any, **kwargs: Any) -> Any:
        token = _submitting.set(True)
        try:
            return await submit(*args, **kwargs)
        finally:
            _submitting.reset(token)

    @functools.wraps(wait)
    async def _wait(future: Any, *args: Any, **kwargs: Any) -> Any:
        state = await wait(future, *args, **kwargs)
        current = tracer()
        if current is not None and state is not None and not _submitting.get():
            current.waited(str(future.task_run.id))
        return state

    setattr(engine, name, create_task_run_future)
    PrefectFuture._wait = _wait
    _note_futures(engine, PrefectFuture)


def _note_futures(engine: Any, future_class: Any) -> None:
    """Note the futures that the engine finds among the inputs of a task run while it creates it.

    What it records as ``task_inputs`` holds more: it takes any value for the result of a task run that once returned
    the same object, and a text that is written twice in a file is one object (2.20.26 utilities/engine.py).
    """
    create = getattr(engine, "create_task_run", None)
    collecting = sys.modules[getattr(engine, "collect_task_run_inputs", install).__module__]
    visit = getattr(collecting, "visit_collection", None)
    if create is None or visit is None:
        return

    @functools.wraps(create)
    async def create_task_run(*args: Any, **kwargs: Any) -> Any:
        token = _futures.set([])
        try:
            return await create(*args, **kwargs)
        finally:
            _futures.reset(token)

    @functools.wraps(visit)
    def visit_collection(expr: Any, visit_fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        noted = _futures.get()
        if noted is None:
            return visit(expr, visit_fn, *args, **kwargs)

        @functools.wraps(visit_fn)
        def noting(value: Any, *more: Any, **others: Any) -> Any:
            if isinstance(value, future_class):
                noted.append(value)
            return visit_fn(value, *more, **others)

        return visit(expr, noting, *args, **kwargs)

    engine.create_task_run = create_task_run
    collecting.visit_collection = visit_collection  # type: ignore[attr-defined]


def futures() -> Optional[List[str]]:
    """The task runs whose futures the one that is created now was given; None where that is not known."""
    noted = _futures.get()
    return None if noted is None else sorted({str(future.task_run.id) for future in noted})
