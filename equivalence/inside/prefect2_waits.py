"""What the flow function of a Prefect 2 flow waits for: the runs that are certainly over before the next one begins.

The worker runs tasks one after another, so the order in which they ran proves nothing: under the runner that the flow
declares, a submitted task runs beside others unless its inputs or a wait order it.
"""

from __future__ import annotations

import contextvars
import functools
from typing import Any, Callable

_submitting = contextvars.ContextVar("equivalence_submitting", default=False)  # type: contextvars.ContextVar[bool]


def install(tracer: Callable[[], Any]) -> None:
    """Report each wait of the user's: a called task, ``.wait()``, ``.result()``, mapping over a future.

    Not those of the engine while it submits: it waits for the inputs of the task, and, since the runner is sequential
    here, for the task itself (2.20.26 engine.py, ``create_task_run_future``).
    """
    import prefect.engine as engine
    from prefect.futures import PrefectFuture

    submit = getattr(engine, "create_task_run_future", None)
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

    engine.create_task_run_future = create_task_run_future
    PrefectFuture._wait = _wait
