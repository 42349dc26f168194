"""Rules for executors, async flows, subflows, the task library and stored runs: G22 to G24, G31, G32."""

from __future__ import annotations

from equivalence import vocabulary
from equivalence.catalogue.rule import Evidence, Rule, of_final_state


def _child_failed(evidence: Evidence) -> bool:
    """The flows ended otherwise, and on one side a child flow had failed."""
    sides = (("v1", evidence.v1), ("v2", evidence.v2))
    return any(
        vocabulary.kind_of_state(side, child.final) == vocabulary.FAILED
        for side, trace in sides
        for child in trace.children
    )


def _path(evidence: Evidence, end: str = "") -> bool:
    return evidence.difference.path.startswith("flows.") and end in evidence.difference.path


def _child_missing(evidence: Evidence) -> bool:
    """A child run, or a task of one, that only one side has."""
    kinds = ("task-missing", "task-extra")
    alone = any(one.kind in kinds and one.path.startswith("flows.") for one in evidence.comparison.differences)
    return evidence.difference.kind in kinds and alone


def _never_awaited(evidence: Evidence) -> bool:
    """The new flow is async, and the task is not there at all."""
    old, new = evidence.runs()
    return (
        evidence.difference.kind == "task-missing"
        and old is not None
        and new is None
        and evidence.v2.asynchronous
        and evidence.v2.exception is None
    )


def _command(evidence: Evidence) -> bool:
    """A shell command's task failed on one side only."""
    old, new = evidence.runs()
    kinds = {vocabulary.kind_of_task(run) for run in (old, new) if run is not None}
    failures = [failure.message for run in (old, new) if run is not None for failure in run.failures]
    return (
        evidence.difference.kind in ("task-state", "final-state", "task-result")
        and (kinds == {vocabulary.FAILED, vocabulary.COMPLETED} or evidence.difference.kind == "task-result")
        and any("Command failed" in text or "exit status" in text for text in failures)
    )


def _not_stored(evidence: Evidence) -> bool:
    """Prefect 2 looked for a result that nobody had stored."""
    failures = [failure for run in evidence.v2.tasks for failure in run.failures]
    failures += [evidence.v2.exception] if evidence.v2.exception is not None else []
    return any(failure.type.endswith(":MissingResult") for failure in failures)


RULES: tuple[Rule, ...] = (
    Rule(
        "result-not-stored",
        "G32",
        "A result was not stored",
        "The API of Prefect 2 stores states and no values: the result of a task that is cached, or read from "
        "another run, is there only where it was persisted.",
        "`@task(persist_result=True)` on tasks with a `cache_key_fn` or whose states are read later.",
        "Prefect 2 docs: Results",
        _not_stored,
    ),
    Rule(
        "child-failure",
        "G24",
        "A failed child flow means something else",
        "`wait_for_flow_run` is a Success also when the child failed, unless `raise_final_state=True`; "
        "`StartFlowRun` takes over how the child ended. A flow called in a Prefect 2 flow raises, unless "
        "`return_state=True`.",
        "`child(return_state=True)` for `wait_for_flow_run(...)`, a plain `child()` for `raise_final_state=True`.",
        "Prefect 2 docs: Flows, Composing flows",
        of_final_state(_child_failed),
    ),
    Rule(
        "child-parameters",
        "G24",
        "A child flow gets other parameters",
        "The same child flow ran on both sides and was given another value, or left at its default where it was given "
        "one.",
        "Hand on what `create_flow_run(parameters={…})` had: `child(month=month)`.",
        "Prefect 2 docs: Flows, Composing flows",
        lambda evidence: _path(evidence, ".parameters."),
    ),
    Rule(
        "child-not-run",
        "G24",
        "A child flow is not run, or once more",
        "One side runs a flow that the other does not, or another number of times.",
        "Call the child flow where `create_flow_run` or `StartFlowRun` stood.",
        "Prefect 2 docs: Flows, Composing flows",
        _child_missing,
    ),
    Rule(
        "never-awaited",
        "G23",
        "A task of an async flow never ran",
        "An async task that is called without `await` gives a coroutine, and nothing happens. The flow is "
        "Completed all the same.",
        "`await task(...)`, `await task.submit(...)`, `await task.map(...)`.",
        "Prefect 2 docs: Flows, Async flows",
        _never_awaited,
    ),
    Rule(
        "exit-status",
        "G31",
        "A command's exit status is treated otherwise",
        "`ShellTask` fails when the command ends with a status other than 0. Plain `subprocess.run` does not, unless "
        "`check=True`.",
        "`subprocess.run(command, check=True)`.",
        "Prefect 1 docs: Task library, Shell tasks",
        _command,
    ),
)
