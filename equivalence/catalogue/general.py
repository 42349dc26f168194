"""Rules that know a difference by its kind alone: asked last."""

from __future__ import annotations

from equivalence.catalogue.rule import Evidence, Rule, kind_is


def _first_to_differ(evidence: Evidence) -> bool:
    """Both runs of a task began, and no task before it in the flow differs."""
    old, new = evidence.runs()
    began = old is not None and new is not None and bool(old.attempts and new.attempts)
    kinds = ("task-result", "task-state", "exception")
    difference = evidence.difference
    return difference.kind in kinds and began and evidence.comparison.first_task == difference.task


RULES: tuple[Rule, ...] = (
    Rule(
        "parameter-signature",
        "G02",
        "The parameters of the two flows do not match",
        "A parameter was renamed, left out or added, or is required on one side only.",
        'Rename it back, or say so in the pair\'s table: `parameters = { "old name" = "new_name" }`.',
        "Prefect 2 docs: Flows, Parameters",
        kind_is("parameter"),
    ),
    Rule(
        "retry-condition",
        "G06",
        "Another number of attempts of as many retries",
        "Both tasks declare as many retries. One failed where the other did not, or not every exception is retried "
        "(`retry_on` in Prefect 1, `retry_condition_fn` in Prefect 2).",
        "Compare the states of the task's attempts, and the two conditions.",
        "Prefect 2 docs: Tasks, Retries",
        kind_is("retry-count"),
    ),
    Rule(
        "retry-delay-changed",
        "G06",
        "Another retry delay",
        "The delays asked for between attempts differ; a list repeats its last entry.",
        "Make `retry_delay_seconds` the delays of the Prefect 1 task.",
        "Prefect 2 docs: Tasks, Retries",
        kind_is("retry-delay"),
    ),
    Rule(
        "final-state",
        "G03",
        "The flow ends in another state",
        "Prefect 1 decides by reference tasks, Prefect 2 by the return value or the exception of the flow function.",
        "Return what was the reference task's result or state, or raise.",
        "Prefect 2 docs: Flows, Final state determination",
        kind_is("final-state"),
    ),
    Rule(
        "task-missing",
        "G01",
        "A task of the old flow does not run in the new one",
        "The task was left out, renamed, or waits for an upstream that did not complete.",
        'Call it, or say what it is called now: `tasks = { "old name" = "new_name" }` in the pair\'s table.',
        "Prefect docs: Migrating from Prefect 1",
        kind_is("task-missing"),
    ),
    Rule(
        "task-extra",
        "G08",
        "A task runs that the old flow has not, or did not run",
        "The task is new or called once more, or a skip or trigger that kept it from running was not carried over.",
        'Leave it out, or say which it was: `tasks = { "old name" = "new_name" }` in the pair\'s table.',
        "Prefect docs: Migrating from Prefect 1",
        kind_is("task-extra"),
    ),
    Rule(
        "task-code-changed",
        "G05",
        "The task does something else with what it is given",
        "No task before it in the flow differs, so it was given the same on both sides. What its own code makes of "
        "that is not what the Prefect 1 task made of it; no change of the engine explains it.",
        "Compare the two functions. What was meant to change: its path into `ignore` of the pair's table.",
        "Prefect docs: Migrating from Prefect 1",
        _first_to_differ,
    ),
)
