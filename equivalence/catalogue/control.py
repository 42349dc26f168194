"""Rules for signals, triggers, skips and conditionals: G07 to G10."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from equivalence import vocabulary
from equivalence.catalogue.rule import Evidence, Rule
from equivalence.compare.align import did_work
from equivalence.trace import TaskRun

_NOT_RUN = ("task-missing", "task-extra", "task-state")


def _not_submitted(evidence: Evidence) -> bool:
    """The new flow function raised, and the task comes after the one that failed there."""
    return evidence.difference.kind == "task-missing" and evidence.v2.exception is not None


def _not_ready(evidence: Evidence) -> bool:
    """Prefect 1 ran the task after a failed upstream, Prefect 2 left it NotReady."""
    old, new = evidence.runs()
    left = new is not None and not new.attempts and new.final is not None and new.final.name == "NotReady"
    return evidence.difference.kind in ("task-missing", "task-state") and left and old is not None and old.attempts > 0


def _upstream(run: TaskRun, evidence: Evidence) -> list[TaskRun]:
    """What a task of the old flow comes after, engine-made tasks followed to the user's own."""
    known = {other.run: other for other in evidence.v1.tasks}
    found: list[TaskRun] = []
    names = list(run.upstream)
    while names:
        other = known.get(names.pop())
        if other is None:
            continue
        if other.engine_made in ("condition", "merge", "operator", "collection"):
            names += other.upstream
        found.append(other)
    return found


def _after(kind: str, *, failed: bool = False) -> Callable[[Evidence], bool]:
    """A task of the old flow that ran after one that ended so, and is missing from the new one."""

    def recognises(evidence: Evidence) -> bool:
        old, _ = evidence.runs()
        if evidence.difference.kind != "task-missing" or old is None:
            return False
        ends = [other.final.type for other in _upstream(old, evidence) if other.final is not None]
        return kind in ends or (failed and "TriggerFailed" in ends)

    return recognises


def _left_out(kind: str) -> Callable[[Evidence], bool]:
    """Prefect 1 passed the task by in a state of this type, without running it, and Prefect 2 ran it."""

    def recognises(evidence: Evidence) -> bool:
        old, new = evidence.runs()
        passed = old is not None and not old.attempts and old.final is not None and old.final.type == kind
        return evidence.difference.kind in _NOT_RUN and passed and new is not None and did_work(new)

    return recognises


def _branch(evidence: Evidence) -> bool:
    """The task stands in a branch of a ``case`` or ``switch``, and was run on one side only."""
    old, _ = evidence.runs()
    within = old is not None and any(other.engine_made == "condition" for other in _upstream(old, evidence))
    return evidence.difference.kind in ("task-missing", "task-extra") and within


def _skip_raised(evidence: Evidence) -> bool:
    old, new = evidence.runs()
    skipped = old is not None and old.final is not None and old.final.type == "Skipped" and old.attempts > 0
    done = new is not None and vocabulary.kind_of_task(new) == vocabulary.COMPLETED
    return evidence.difference.kind in _NOT_RUN and skipped and done


def _asked_for_retries(run: TaskRun | None) -> bool:
    """Whether the task itself asked to be tried again: Retrying without a failure before it."""
    types = [state.type for state in run.states] if run is not None else []
    return any(pair == ("Running", "Retrying") for pair in itertools.pairwise(types))


def _retry_signal(evidence: Evidence) -> bool:
    old, new = evidence.runs()
    fewer = old is not None and new is not None and new.attempts < old.attempts
    return evidence.difference.kind in ("task-state", "retry-count") and fewer and _asked_for_retries(old)


def _error_returned(evidence: Evidence) -> bool:
    """The old task failed where the new one completed, with an exception as its value."""
    for match in evidence.comparison.matches:
        old, new = match.v1, match.v2
        if old is None or new is None or new.result is None or new.result.at is not None:
            continue
        failed = vocabulary.kind_of_task(old) == vocabulary.FAILED
        if failed and vocabulary.kind_of_task(new) == vocabulary.COMPLETED and "exception" in new.result.sort:
            return evidence.difference.kind in ("task-state", "final-state")
    return False


def _paused(side: str) -> Callable[[Evidence], bool]:
    def recognises(evidence: Evidence) -> bool:
        difference = evidence.difference
        return difference.path == "paused" and getattr(difference, side).startswith("Paused")

    return recognises


RULES: tuple[Rule, ...] = (
    Rule(
        "pause-lost",
        "G07",
        "Nobody is asked any more",
        "The Prefect 1 run paused, by `signals.PAUSE` or the trigger `manual_only`, and went on when a person resumed "
        "it. The Prefect 2 run does not pause.",
        "`pause_flow_run(timeout=3600)` in the flow function, before what needs the approval.",
        "Prefect 2 docs: Pausing and suspending flow runs",
        _paused("v1"),
    ),
    Rule(
        "pause-added",
        "G07",
        "The flow waits for a person where it did not",
        "The Prefect 2 flow run pauses until it is resumed or its timeout is over, and then fails. The Prefect 1 run "
        "does not pause with these parameters.",
        "Put `pause_flow_run` under the condition that `signals.PAUSE` had.",
        "Prefect 2 docs: Pausing and suspending flow runs",
        _paused("v2"),
    ),
    Rule(
        "retry-signal-lost",
        "G07",
        "The task asked to be tried again, and is not",
        "`signals.RETRY` tries a task again as often as it is raised, whatever `max_retries` says. An exception in "
        "Prefect 2 is tried again `retries` times at most.",
        "`return AwaitingRetry(scheduled_time=…)` from the task, or `retries` high enough.",
        "Prefect 2 docs: States",
        _retry_signal,
    ),
    Rule(
        "exception-returned",
        "G07",
        "The failure is returned and not raised",
        "A Prefect 2 task that returns an exception object is Completed, with that object as its value. The Prefect 1 "
        "task failed there.",
        "`raise` it, or `return Failed(message=…)`.",
        "Prefect 2 docs: States",
        _error_returned,
    ),
    Rule(
        "skip-became-value",
        "G09",
        "A skip became a completed task",
        "`signals.SKIP` ended the Prefect 1 task as Skipped, and what depends on it was skipped as well. The Prefect 2 "
        "task completed with a value, and what depends on it goes on with that.",
        'Call what follows only if there is something to do; `return Completed(name="Skipped")` names the state.',
        "Prefect 1 docs: Signals",
        _skip_raised,
    ),
    Rule(
        "branch-changed",
        "G10",
        "Another branch is taken",
        "The task stands below a `case`, `switch` or `ifelse`, and only one side ran it. `case` compares with `==`, by "
        "which 1 is True and a text that is not empty is not; a plain `if` asks for truth.",
        "Write the comparison of the `case`: `if value == True:`.",
        "Prefect 1 docs: Conditional logic",
        _branch,
    ),
    Rule(
        "skip-not-carried-over",
        "G09",
        "A skipped task runs",
        "A task before it was skipped, and Prefect 1 skips what depends on a skipped task (`skip_on_upstream_skip`). "
        "Prefect 2 has no skipped state: a task that is called runs.",
        "Call the task only if the one before it did something: `if rows: send(rows)`.",
        "Prefect 1 docs: Signals",
        _left_out("Skipped"),
    ),
    Rule(
        "skip-carried-too-far",
        "G09",
        "A task that ran after a skip is left out",
        "With `skip_on_upstream_skip=False` the Prefect 1 task ran although a task before it was skipped, and got None "
        "from it. The Prefect 2 flow does not call it then.",
        "Move the call out of the `if` that replaced the skip.",
        "Prefect 1 docs: Signals",
        _after("Skipped"),
    ),
    Rule(
        "trigger-ignored",
        "G08",
        "A task runs that its trigger kept from running",
        "The trigger of the Prefect 1 task (`any_failed`, `all_failed`, `some_successful`, …) did not hold here. The "
        "Prefect 2 flow calls the task all the same.",
        "Ask for the states: `if any(state.is_failed() for state in states): alert()`.",
        "Prefect 1 docs: Triggers",
        _left_out("TriggerFailed"),
    ),
    Rule(
        "cut-off-by-exception",
        "G08",
        "A task is not reached after a failure",
        "A called Prefect 2 task that fails raises in the flow function, and nothing after it runs; in Prefect 1 "
        "independent tasks, and those with a trigger, still do.",
        "Use `.submit()` for independent branches; `allow_failure` or `return_state=True` for clean-up.",
        "Prefect 2 docs: States",
        _not_submitted,
    ),
    Rule(
        "trigger-lost",
        "G08",
        "The task does not run after a failed upstream",
        "A Prefect 1 trigger such as `all_finished` or `any_failed` let it run; a Prefect 2 task waits for its "
        "upstream tasks to complete, and stays NotReady when one failed.",
        "`task.submit(allow_failure(upstream))`; behind a NotReady upstream call it: `upstream.wait(); task()`.",
        "Prefect 1 docs: Triggers",
        _not_ready,
    ),
    Rule(
        "call-after-failure-lost",
        "G08",
        "A task that ran after a failure is not called",
        "In Prefect 1 a task before it failed or was passed by, and its trigger let it run all the same. The Prefect 2 "
        "flow does not call it; a NotReady state is not failed, `is_failed()` is False of it.",
        "Ask `not state.is_completed()`, or call the task in a `finally`.",
        "Prefect 1 docs: Triggers",
        _after("Failed", failed=True),
    ),
)
