"""A paused Prefect 2 flow run is resumed at once: nobody sits in front of the worker.

``pause_flow_run`` stores a Paused state and asks the API every ten seconds whether somebody resumed the run (2.20.26
engine.py, ``_in_process_pause``). The worker resumes it as soon as the state is stored, and asks without waiting.
"""

from __future__ import annotations

import functools
from typing import Any

POLL_SECONDS = 0.01


def install() -> None:
    """Ask often instead of every ten seconds; releases before 2.8 have no such pause."""
    import prefect.engine as engine

    pause = getattr(engine, "_in_process_pause", None)
    if pause is None:
        return

    @functools.wraps(pause)
    async def pause_without_waiting(*args: Any, **kwargs: Any) -> Any:
        if len(args) < 2:
            kwargs["poll_interval"] = POLL_SECONDS
        return await pause(*args, **kwargs)

    engine._in_process_pause = pause_without_waiting


async def resume(client: Any, flow_run_id: Any) -> None:
    """Answer for the person who would have approved."""
    await client.resume_flow_run(flow_run_id)
