"""The one table of state names of both engines, and what they have in common.

``outcome`` says whether it went well, ``kind`` what happened, and the engine's own name is the exact level. Sources:
prefect 1.4.1 engine/state.py; prefect 2.20.26 server/schemas/states.py and engine.py.
"""

from __future__ import annotations

from typing import Final

from equivalence.trace import State, TaskRun

COMPLETED: Final = "Completed"
CACHED: Final = "Cached"
FAILED: Final = "Failed"
TIMED_OUT: Final = "TimedOut"
CANCELLED: Final = "Cancelled"
CRASHED: Final = "Crashed"
PAUSED: Final = "Paused"
NOT_RUN: Final = "NotRun"
RUNNING: Final = "Running"
REFUSED: Final = "Refused"

#        engine, type → kind
TABLE: Final[dict[str, dict[str, str]]] = {
    "v1": {
        "Success": COMPLETED,
        "Cached": CACHED,
        "Mapped": COMPLETED,
        "Skipped": NOT_RUN,
        "Failed": FAILED,
        "TimedOut": TIMED_OUT,
        "TriggerFailed": NOT_RUN,
        "ValidationFailed": FAILED,
        "Cancelled": CANCELLED,
        "Crashed": CRASHED,
        "Paused": PAUSED,
        "Looped": RUNNING,
        "Running": RUNNING,
        "Cancelling": RUNNING,
        "Pending": NOT_RUN,
        "Scheduled": NOT_RUN,
        "Submitted": NOT_RUN,
        "Queued": NOT_RUN,
        "ClientFailed": FAILED,
        "Resume": RUNNING,
        "Retrying": RUNNING,
    },
    "v2": {
        "COMPLETED": COMPLETED,
        "FAILED": FAILED,
        "CANCELLED": CANCELLED,
        "CANCELLING": RUNNING,
        "CRASHED": CRASHED,
        "PAUSED": PAUSED,
        "PENDING": NOT_RUN,
        "SCHEDULED": NOT_RUN,
        "RUNNING": RUNNING,
    },
}

NAMED: Final[dict[tuple[str, str], str]] = {
    ("COMPLETED", "Cached"): CACHED,
    ("COMPLETED", "Skipped"): NOT_RUN,
    ("FAILED", "TimedOut"): TIMED_OUT,
    ("FAILED", "TriggerFailed"): NOT_RUN,
}
"""Prefect 2 types whose name makes them something else. A name alone says nothing: users name states as they like."""

CUT_SHORT: Final = {"TimedOut": "CutShort", "Crashed": CRASHED}
"""Kinds of the ends that the host wrote, of a run it had to kill or whose process was gone."""

UNMAPPED: Final = (
    "No upstream states can be mapped over.",
    "At least one upstream state has an unmappable result.",
)
"""What Prefect 1 says of a mapped task that gets no children; it is Failed there, and not TriggerFailed."""

WENT_WELL: Final = {COMPLETED, CACHED, NOT_RUN}
"""Kinds that do not speak of a failure. A task that was not run is judged by what kept it from running."""

OUTCOMES: Final = {COMPLETED: "went well", CACHED: "went well", NOT_RUN: "was not run"}

EXACT: Final = {
    "Success": "Completed",
    "TriggerFailed": "NotReady",
    "COMPLETED": "Completed",
    "FAILED": "Failed",
    "CRASHED": "Crashed",
    "CANCELLED": "Cancelled",
}
"""Names that stand for each other at the ``exact`` level."""


def kind_of_state(side: str, state: State | None) -> str:
    """The kind of a state of one side; a type that is in no table is itself."""
    if state is None:
        return NOT_RUN
    if side == "v2" and (state.type, state.name) in NAMED:
        return NAMED[state.type, state.name]
    return TABLE[side].get(state.type, state.type)


def kind_of_task(run: TaskRun) -> str:
    """The kind of a task run's end.

    ==========================================================  ============
    Prefect 1 ``Cached`` after a ``Running``                      Completed (every task with ``cache_for`` ends so)
    Prefect 1 ``TriggerFailed`` or ``Failed`` raised while running  Failed
    Prefect 1 ``Skipped`` raised while running                    NotRun, with its attempt
    Prefect 1 ``Failed`` of a map that gets no children             NotRun (1.4.1 engine/task_runner.py)
    everything else                                              by the table
    ==========================================================  ============
    """
    kind = kind_of_state(run.side, run.final)
    if kind == CACHED and run.attempts:
        return COMPLETED
    if run.final is not None and run.final.type == "TriggerFailed" and run.attempts:
        return FAILED
    if run.side == "v1" and run.final is not None and run.final.message in UNMAPPED and not run.attempts:
        return NOT_RUN
    return kind


def outcome(kind: str) -> str:
    """The coarsest level: whether it went well, was not run, or failed."""
    return OUTCOMES.get(kind, "failed")


def level(side: str, state: State | None, kind: str, strictness: str) -> str:
    """What is compared of a state at a level of strictness: ``outcome``, ``kind`` or ``exact``."""
    if strictness == "outcome":
        return outcome(kind)
    if strictness == "kind" or state is None:
        return kind
    return EXACT.get(state.name, state.name)


def shown(state: State | None) -> str:
    """A state as its engine's users know it: ``Success``, ``Completed``, ``Failed (NotReady)``."""
    if state is None:
        return "not run"
    types = {"COMPLETED": "Completed", "FAILED": "Failed", "CRASHED": "Crashed", "CANCELLED": "Cancelled"}
    base = types.get(state.type, state.type.capitalize() if state.type.isupper() else state.type)
    return base if state.name in (base, state.type) else f"{base} ({state.name})"
