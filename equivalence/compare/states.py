"""Final states, refusals and exceptions of two traces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from equivalence import vocabulary
from equivalence.trace import ExceptionInfo, TaskRun, Trace

ADDRESS = re.compile(r"(?<=\bat )0x[0-9a-f]+\b", re.IGNORECASE)

ALIASES = {
    "asyncio.exceptions:TimeoutError": "builtins:TimeoutError",  # one class since Python 3.11
    "concurrent.futures._base:TimeoutError": "builtins:TimeoutError",
    "socket:timeout": "builtins:TimeoutError",  # one class since Python 3.10
    "exceptiongroup:ExceptionGroup": "builtins:ExceptionGroup",  # the package for Python before 3.11
    "exceptiongroup:BaseExceptionGroup": "builtins:BaseExceptionGroup",
}
"""Exception classes that became another one in a later Python."""


NO_REFUSAL = re.compile(r'Trigger was "(all_successful|all_failed|any_failed|some_failed)"')
"""Triggers by which a task is passed on a failure or not needed, and does not fail the flow for itself.

The words are those of 1.4.1 triggers.py.
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """One path where two traces disagree. ``v1`` and ``v2`` are texts for a reader; ``task`` is None at the flow."""

    kind: str
    path: str
    v1: str
    v2: str
    task: str | None = None
    note: str = ""


@dataclass(slots=True)
class Tally:
    """What a comparison looked at and what it passed over, by rule."""

    compared: int = 0
    ignored: dict[str, int] = field(default_factory=dict)
    normalised: dict[str, int] = field(default_factory=dict)
    opaque: list[str] = field(default_factory=list)
    uncompared: list[str] = field(default_factory=list)

    def normalise(self, rule: str, count: int = 1) -> None:
        """Count a named normalisation."""
        if not count:
            return
        self.normalised[rule] = self.normalised.get(rule, 0) + count


def flow_kind(trace: Trace) -> str:
    """The kind of a flow's end; a refusal of its parameters counts as one of its own."""
    if trace.ended is not None:
        return vocabulary.CUT_SHORT.get(trace.ended, trace.ended)
    if trace.rejected is not None:
        return vocabulary.REFUSED
    return vocabulary.kind_of_state(trace.side, trace.final)


def compare_refusal(v1: Trace, v2: Trace, tally: Tally) -> Iterator[Difference]:
    """A case that one side refuses before anything runs, and the other takes.

    Prefect 1 validates nothing by itself: a flow of it that failed before any task completed has refused as well.
    """
    tally.compared += 1
    if v1.side == "v1" and v1.rejected is None and v2.rejected is not None and _refused_in_tasks(v1):
        tally.normalise("refused-in-a-task")
    elif (v1.rejected is None) != (v2.rejected is None):
        yield Difference("parameter", "parameters", _refusal(v1), _refusal(v2))


def _refused_in_tasks(trace: Trace) -> bool:
    kinds = [vocabulary.kind_of_task(run) for run in trace.user_tasks]
    failed = flow_kind(trace) == vocabulary.FAILED and vocabulary.FAILED in kinds
    return failed and not any(kind in (vocabulary.COMPLETED, vocabulary.CACHED) for kind in kinds)


def _refusal(trace: Trace) -> str:
    if trace.rejected is None:
        return f"accepted, flow {vocabulary.shown(trace.final)}"
    return f"refused: {_first_lines(trace.rejected.shown)}"


def _first_lines(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"


def compare_flow_state(v1: Trace, v2: Trace, strictness: str, tally: Tally) -> Iterator[Difference]:
    """The final state of the flow, at the level of strictness."""
    tally.compared += 1
    kinds = flow_kind(v1), flow_kind(v2)
    levels = [
        vocabulary.level(trace.side, trace.final, kind, strictness) for trace, kind in zip((v1, v2), kinds, strict=True)
    ]
    if levels[0] != levels[1]:
        yield Difference(
            "final-state", "state", vocabulary.shown(v1.final), vocabulary.shown(v2.final), note=_message(v2)
        )


def _message(trace: Trace) -> str:
    return trace.final.message.splitlines()[0][:200] if trace.final is not None and trace.final.message else ""


def compare_pauses(v1: Trace, v2: Trace, tally: Tally) -> Iterator[Difference]:
    """Whether a run waited for a person: a task in Prefect 1, the flow in Prefect 2."""
    old, new = _pausing(v1), _pausing(v2)
    if not (old or new):
        return
    tally.compared += 1
    if bool(old) == bool(new):
        tally.normalise("who-pauses")
        return
    shown = [f"Paused in {', '.join(names)}" if names else "not paused" for names in (old, new)]
    yield Difference("task-state", "paused", *shown)


def _pausing(trace: Trace) -> list[str]:
    """What paused: task runs by name, and the flow."""
    found = [run.key.shown for run in trace.user_tasks if any(state.type == "Paused" for state in run.states)]
    return found + ["the flow"] * any(state.type == "PAUSED" for state in trace.states)


def compare_task_state(v1: TaskRun, v2: TaskRun, label: str, strictness: str, tally: Tally) -> Iterator[Difference]:
    """The end of two matched task runs, at the level of strictness."""
    tally.compared += 1
    levels = [vocabulary.level(run.side, run.final, vocabulary.kind_of_task(run), strictness) for run in (v1, v2)]
    both_idle = all(vocabulary.kind_of_task(run) == vocabulary.NOT_RUN for run in (v1, v2))
    if levels[0] != levels[1] and not (both_idle and strictness != "exact"):
        yield Difference(
            "task-state", f"tasks.{label}.state", vocabulary.shown(v1.final), vocabulary.shown(v2.final), label
        )


def compare_exceptions(v1: TaskRun, v2: TaskRun, label: str, tally: Tally) -> Iterator[Difference]:
    """The exceptions of two task runs, attempt by attempt; the last one is the run's own.

    Only where the numbers of failed attempts agree: otherwise ``retry-count`` says what is the matter.
    """
    if len(v1.failures) != len(v2.failures):
        return
    last = len(v1.failures) - 1
    for index, (old, new) in enumerate(zip(v1.failures, v2.failures, strict=True)):
        tally.compared += 1
        if same_exception(old, new, tally):
            continue
        path = f"tasks.{label}.exception" if index == last else f"tasks.{label}.attempts[{index}].exception"
        yield Difference("exception", path, old.shown, new.shown, label, _detail_note(old, new))


def compare_flow_exception(v1: Trace, v2: Trace, tally: Tally) -> Iterator[Difference]:
    """What Prefect 2's flow function raised, against what failed in Prefect 1.

    A Prefect 1 flow raises nothing itself: the exceptions of its task runs, and of the engine, are what a flow
    function may raise. Two runs of such a flow disagree where one could have raised what the other could not.
    """
    failures = _may_raise(v1)
    if v1.side == v2.side == "v1":
        for new in _may_raise(v2):
            if not any(same_exception(old, new, tally) for old in failures):
                yield Difference("exception", "exception", ", ".join(old.shown for old in failures), new.shown)
                return
        return
    raised = v2.exception
    if raised is None or flow_kind(v1) in vocabulary.WENT_WELL:
        return
    tally.compared += 1
    if raised.type.startswith("prefect."):
        tally.normalise("engine-exception")  # says that an upstream task failed, in Prefect 2's words
        return
    if any(same_exception(failure, raised, tally) for failure in failures):
        return
    if any(_by_trigger(run) for run in v1.user_tasks):
        tally.normalise("trigger-as-exception")  # the flow function says in its own words what a trigger said
    else:
        shown = ", ".join(dict.fromkeys(failure.shown for failure in failures)) or "no exception"
        note = _detail_note(failures[0], raised) if len(failures) == 1 else ""
        yield Difference("exception", "exception", shown, raised.shown, note=note)


def _by_trigger(run: TaskRun) -> bool:
    """Whether a task's own trigger wanted more successes than there were, and not only a failure passed it by."""
    final = run.final
    if final is None or final.type != "TriggerFailed" or run.attempts:
        return False
    return NO_REFUSAL.search(final.message) is None


def _may_raise(v1: Trace) -> list[ExceptionInfo]:
    failures = [failure for run in v1.tasks for failure in run.failures]
    return failures if v1.exception is None else [*failures, v1.exception]


def same_exception(v1: ExceptionInfo, v2: ExceptionInfo, tally: Tally) -> bool:
    """Class and text are the same, by the named normalisations.

    ===================  ======================================================================
    signal               a Prefect 1 signal stands for whatever exception has the same text
    failed-state         a failed state without an exception stands for one with the same text
    timeout              Prefect 1 ``TaskTimeoutSignal`` is Prefect 2 ``TimeoutError``, without text
    python-alias         a class that became another one in a later Python, by ``ALIASES``
    memory-address       ``at 0x7f…`` in the text
    ===================  ======================================================================

    Causes (``raise … from``) are not compared.
    """
    types = ALIASES.get(v1.type, v1.type), ALIASES.get(v2.type, v2.type)
    if v1.type.endswith(":TaskTimeoutSignal") and types[1] == "builtins:TimeoutError":
        tally.normalise("timeout")
        return True
    messages = v1.message, v2.message
    if messages[0] != messages[1]:
        cleaned = [ADDRESS.sub("0x…", message) for message in messages]
        if cleaned[0] != cleaned[1]:
            return False
        tally.normalise("memory-address")
    if v1.type.startswith("prefect.engine.signals:") and v1.type != v2.type:
        tally.normalise("signal")
        return True
    if (v1.type == "") != (v2.type == ""):
        tally.normalise("failed-state")
        return True
    if types[0] != types[1] or v1.details != v2.details:
        return False
    if v1.type != v2.type:
        tally.normalise("python-alias")
    return True


def _detail_note(v1: ExceptionInfo, v2: ExceptionInfo) -> str:
    """What tells two exceptions apart that read the same."""
    if v1.shown != v2.shown:
        return ""
    if v1.type != v2.type:
        return f"{v1.type} and {v2.type}"
    return f"{v1.details[:90] or 'no arguments'} and {v2.details[:90] or 'no arguments'}"
