"""Rules for signals, triggers, skips and conditionals: G07 to G10."""

from __future__ import annotations

from equivalence.catalogue.rule import Evidence, Rule


def _not_submitted(evidence: Evidence) -> bool:
    """The new flow function raised, and the task comes after the one that failed there."""
    return evidence.difference.kind == "task-missing" and evidence.v2.exception is not None


def _trigger(evidence: Evidence) -> bool:
    """Prefect 1 ran the task after a failed upstream, Prefect 2 left it NotReady."""
    old, new = evidence.runs()
    left = new is not None and not new.attempts and new.final is not None and new.final.name == "NotReady"
    return evidence.difference.kind in ("task-missing", "task-state") and left and old is not None and old.attempts > 0


RULES: tuple[Rule, ...] = (
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
        "`task.submit(allow_failure(upstream))`; the failed upstream then arrives as its exception.",
        "Prefect 1 docs: Triggers",
        _trigger,
    ),
)
