"""Rules for state handlers, names, logging and notifications: G14, G17, G19, G30."""

from __future__ import annotations

from equivalence import vocabulary
from equivalence.catalogue.rule import Evidence, Rule
from equivalence.compare.acts import CHANNELS
from equivalence.compare.align import did_work


def _effect(evidence: Evidence) -> str | None:
    """The name of the act that the difference is about."""
    return evidence.difference.path.rpartition(".")[2] if evidence.difference.kind == "effect" else None


def _notification(evidence: Evidence) -> bool:
    return _effect(evidence) in CHANNELS


def _lost(evidence: Evidence) -> bool:
    return _effect(evidence) is not None and evidence.difference.v2 == "not called"


def _state_rewritten(evidence: Evidence) -> bool:
    """In Prefect 1 the task failed, and its state was replaced by a handler: Running, then no failure."""
    old, new = evidence.runs()
    if old is None or new is None or evidence.difference.kind not in ("task-state", "retry-count"):
        return False
    well = old.handlers > 0 and vocabulary.kind_of_task(old) == vocabulary.COMPLETED
    rewritten = old.final is not None and old.final.message not in ("", SUCCEEDED)
    return well and rewritten and vocabulary.kind_of_task(new) == vocabulary.FAILED


SUCCEEDED = "Task run succeeded."
"""What Prefect 1 says of a task that ended by itself (1.4.1 engine/task_runner.py)."""


def _renamed(evidence: Evidence) -> bool:
    """The task is missing, and an extra one gave the same; or the other way round."""
    if evidence.difference.kind not in ("task-missing", "task-extra"):
        return False
    alone = [match for match in evidence.comparison.matches if match.v1 is None or match.v2 is None]
    old = {
        match.v1.result.digest: match.label for match in alone if match.v1 and match.v1.result and did_work(match.v1)
    }
    new = {
        match.v2.result.digest: match.label for match in alone if match.v2 and match.v2.result and did_work(match.v2)
    }
    same = old.keys() & new.keys()
    return any(evidence.difference.task in (old[digest], new[digest]) for digest in same)


def _level(evidence: Evidence) -> bool:
    one, other = (text.partition(" ") for text in (evidence.difference.v1, evidence.difference.v2))
    return evidence.difference.kind == "log" and one[2] == other[2] and one[0] != other[0]


RULES: tuple[Rule, ...] = (
    Rule(
        "notification-lost",
        "G30",
        "Nobody is notified any more",
        "The Prefect 1 state handler notified for this state. No hook of the Prefect 2 task or flow does.",
        "`@task(on_failure=[notify])`, `@flow(on_failure=[notify], on_completion=[notify])`.",
        "Prefect 2 docs: State change hooks",
        lambda evidence: _notification(evidence) and _lost(evidence),
    ),
    Rule(
        "notification-added",
        "G30",
        "A notification that there was not before",
        "The Prefect 2 hook notifies for a state that the Prefect 1 handler passed over (`only_states`, "
        "`ignore_states`), or for each attempt.",
        "Hang the hook on the states that the handler was for.",
        "Prefect 2 docs: State change hooks",
        _notification,
    ),
    Rule(
        "handler-lost",
        "G14",
        "What a state handler did is not done any more",
        "The Prefect 1 handler called this function for the state that the task or flow went to. No hook of the "
        "Prefect 2 side calls it, nor does the flow function.",
        "`@task(on_failure=[hook], on_completion=[hook])`; `on_failure` of Prefect 2 is called once, after the last "
        "attempt.",
        "Prefect 2 docs: State change hooks",
        _lost,
    ),
    Rule(
        "handler-added",
        "G14",
        "A hook does what no handler did",
        "The Prefect 2 hook, or the flow function, calls this function where the Prefect 1 handler did not: for "
        "another state, for another task, or once more.",
        "Hang the hook on the states for which the handler acted.",
        "Prefect 2 docs: State change hooks",
        lambda evidence: evidence.difference.kind == "effect",
    ),
    Rule(
        "state-rewriting-lost",
        "G14",
        "A handler turned the failure into something else",
        "The Prefect 1 state handler returned another state in the place of the failure. A Prefect 2 hook cannot: what "
        "it returns is ignored.",
        "Catch the exception in the task and return the value that the handler gave.",
        "Prefect 2 docs: State change hooks",
        _state_rewritten,
    ),
    Rule(
        "task-renamed",
        "G17",
        "A task has another name",
        "One task is gone and another is there that gives the same. The name is what the two sides are matched by; "
        "case, spaces, `-` and `_` do not count.",
        'Name it as it was, `@task(name="…")`, or write `tasks = { "old name" = "new_name" }` in the pair\'s table.',
        "Prefect 2 docs: Tasks, Task arguments",
        _renamed,
    ),
    Rule(
        "log-level-changed",
        "G19",
        "The same line at another level",
        "The text is the same and the level is not, so what filters or alerts by level sees something else.",
        "Log at the level of the old line.",
        "Prefect 2 docs: Logging",
        _level,
    ),
    Rule(
        "log-changed",
        "G19",
        "Another line is logged",
        '`prefect.context.get("logger")` became `get_run_logger()`, and `log_stdout` became `log_prints`. A line is '
        "missing, new or reads otherwise.",
        "`logger = get_run_logger()` in the task; `@task(log_prints=True)` where the task printed.",
        "Prefect 2 docs: Logging",
        lambda evidence: evidence.difference.kind == "log",
    ),
)
