"""Rules for resource managers, mapping, loops and dependencies: G11, G12, G13, G16."""

from __future__ import annotations

from equivalence import vocabulary
from equivalence.catalogue.rule import Evidence, Rule, of_final_state
from equivalence.compare.align import Match, did_work

_PHASES = (".setup", ".cleanup")


def _outside_the_resource(evidence: Evidence) -> bool:
    difference = evidence.difference
    return difference.kind == "order" and difference.v1.endswith(_PHASES)


def _clean_up_failed(evidence: Evidence) -> bool:
    """The new flow failed in a clean-up; in Prefect 1 that is no reference task."""
    return any(
        run.engine_made == "resource-cleanup" and vocabulary.kind_of_task(run) == vocabulary.FAILED
        for run in evidence.v2.tasks
    )


def _children(evidence: Evidence) -> list[Match]:
    """The matches of the children of the mapped task that the difference is about."""
    name = (evidence.difference.task or "").partition("[")[0].partition("#")[0]
    matches = [match for match in evidence.comparison.matches if match.name == name]
    return matches if any(match.v1 is not None and match.v1.key.map_index is not None for match in matches) else []


def _another_number(evidence: Evidence) -> bool:
    matches = _children(evidence)
    old = sum(match.v1 is not None and did_work(match.v1) for match in matches)
    new = sum(match.v2 is not None and did_work(match.v2) for match in matches)
    return evidence.difference.kind in ("task-missing", "task-extra") and new > 0 and old != new


def _same_children(evidence: Evidence) -> bool:
    """Each child's result is there, at another place."""
    matches = _children(evidence)
    old = [match.v1.result.digest for match in matches if match.v1 is not None and match.v1.result is not None]
    new = [match.v2.result.digest for match in matches if match.v2 is not None and match.v2.result is not None]
    return evidence.difference.kind == "task-result" and len(old) > 1 and old != new and sorted(old) == sorted(new)


def _mapping_refused(evidence: Evidence) -> bool:
    """The new flow ended in a map that Prefect 2 does not take."""
    exception = evidence.v2.exception
    refusals = ("MappingLengthMismatch", "MappingMissingIterable")
    return (
        exception is not None
        and exception.type.rpartition(":")[2] in refusals
        and evidence.difference.kind in ("final-state", "task-missing", "exception")
    )


def _failed_child_left_out(evidence: Evidence) -> bool:
    """A task that was TriggerFailed behind a map, one child of which failed on both sides, runs now."""
    old, new = evidence.runs()
    if evidence.difference.kind != "task-extra" or old is None or new is None:
        return False
    upstream = {run.key.name for run in evidence.v1.tasks if run.run in old.upstream}
    failed = {
        match.name
        for match in evidence.comparison.matches
        if match.v1 is not None and match.v2 is not None and match.v1.key.map_index is not None
        if vocabulary.kind_of_task(match.v1) != vocabulary.COMPLETED != vocabulary.kind_of_task(match.v2)
    }
    return bool(failed & upstream)


def _looped(evidence: Evidence) -> bool:
    old, _ = evidence.runs()
    kinds = ("task-result", "task-state", "retry-count", "exception")
    return evidence.difference.kind in kinds and old is not None and old.loops > 0


def _beside(evidence: Evidence) -> bool:
    """The task was submitted with nothing to wait for."""
    _, new = evidence.runs()
    return evidence.difference.kind == "order" and new is not None and not new.upstream


RULES: tuple[Rule, ...] = (
    Rule(
        "used-outside-the-resource",
        "G11",
        "A task uses the resource before its set-up or after its clean-up",
        "Prefect 1 cleans a resource up when every task of the block is over. A Prefect 2 task that is submitted in a "
        "`with` block goes on when the block is left, and finds the resource gone.",
        "Wait for it within the block: `future.wait()`, or call the task instead of submitting it.",
        "Prefect 1 docs: Resource manager",
        _outside_the_resource,
    ),
    Rule(
        "resource-not-cleaned-up",
        "G11",
        "The resource is not cleaned up",
        "The clean-up of a Prefect 1 resource manager runs whenever its set-up succeeded, also after a failure in the "
        "block. Here the context manager was not left, or its generator has no `finally`.",
        "`with Cluster() as cluster:`, and in a generator function `try: yield cluster` / `finally: stop(cluster)`.",
        "Prefect 1 docs: Resource manager",
        lambda evidence: (
            evidence.difference.kind == "task-missing" and (evidence.difference.task or "").endswith(".cleanup")
        ),
    ),
    Rule(
        "clean-up-fails-the-flow",
        "G11",
        "A failed clean-up fails the flow",
        "The clean-up task of a Prefect 1 resource manager is no reference task, so its failure leaves the flow a "
        "Success. An exception in `__exit__` or after `yield` leaves the Prefect 2 flow function.",
        "Catch and log what may go wrong in the clean-up.",
        "Prefect 1 docs: Resource manager",
        of_final_state(_clean_up_failed),
    ),
    Rule(
        "another-number-of-children",
        "G12",
        "Another number of mapped children",
        "The lists that are mapped over have another length: `flatten` left out, `unmapped` forgotten, or lists of "
        "unequal length, of which Prefect 1 took the shortest and Prefect 2 none.",
        "`[item for part in parts for item in part]` for `flatten`; `unmapped(value)`; `zip(a, b)` for the shortest.",
        "Prefect 2 docs: Tasks, Map",
        _another_number,
    ),
    Rule(
        "mapping-refused",
        "G12",
        "Prefect 2 refuses what Prefect 1 mapped over",
        "Prefect 1 maps over lists of unequal length up to the shortest, and over the letters of a text. Prefect 2 "
        "raises MappingLengthMismatch or MappingMissingIterable in the flow function.",
        "`[task.submit(a, b) for a, b in zip(first, second)]`; `unmapped(value)` for what each child gets as a whole.",
        "Prefect 2 docs: Tasks, Map",
        _mapping_refused,
    ),
    Rule(
        "failed-child-left-out",
        "G12",
        "A reduce runs though a mapped child failed",
        "A Prefect 1 task behind a map is TriggerFailed as soon as one child failed. Here it is given the results of "
        "the children that completed, or allows the failure.",
        "`reduce.submit(children)` with all the futures: it does not run either.",
        "Prefect 1 docs: Mapping",
        _failed_child_left_out,
    ),
    Rule(
        "children-in-another-order",
        "G12",
        "The mapped children come in another order",
        "Each child's result is there on both sides, at another index: what is mapped over was ordered otherwise.",
        "Map over the list in the order that the Prefect 1 task handed on.",
        "Prefect 2 docs: Tasks, Map",
        _same_children,
    ),
    Rule(
        "another-number-of-rounds",
        "G13",
        "The loop has another number of rounds",
        "A task that raises LOOP n times runs n + 1 times, the last one without LOOP. The Prefect 2 flow calls the "
        "task another number of times.",
        "Loop until the condition under which the Prefect 1 task returned.",
        "Prefect 1 docs: Task looping",
        lambda evidence: evidence.difference.path.endswith(".rounds"),
    ),
    Rule(
        "loop-differs",
        "G13",
        "The loop comes to something else",
        "The Prefect 1 task goes on by LOOP, with `task_loop_result` from round to round, also after a retry. A plain "
        "loop starts with what it is given, and from the beginning after a retry.",
        "Carry in a variable what LOOP carried in `result`, and end under the same condition.",
        "Prefect 1 docs: Task looping",
        _looped,
    ),
    Rule(
        "order-turned",
        "G16",
        "Two tasks run in reverse order",
        "In Prefect 1 the one task waited for the other, by data, `upstream_tasks` or `set_upstream`. In Prefect 2 it "
        "runs before it.",
        "`later.submit(wait_for=[earlier])`, with `earlier` submitted first.",
        "Prefect 2 docs: Tasks, Wait for",
        lambda evidence: evidence.difference.kind == "order" and evidence.difference.v2.startswith("before "),
    ),
    Rule(
        "runs-beside",
        "G22",
        "A task that came later may run at the same time",
        "Prefect 1's LocalExecutor runs one task after another. The default runner of Prefect 2 runs submitted "
        "tasks beside each other, and this one was submitted with nothing to wait for.",
        "`later.submit(wait_for=[earlier])`, call it instead of submitting, or `task_runner=SequentialTaskRunner()`.",
        "Prefect 2 docs: Task runners",
        _beside,
    ),
    Rule(
        "dependency-lost",
        "G16",
        "A task does not wait for another any more",
        "In Prefect 1 the one task came after the other, by `upstream_tasks`, `set_upstream` or data. A submitted "
        "Prefect 2 task waits for the futures among its arguments and in `wait_for`, and for nothing else.",
        "`later.submit(wait_for=[earlier])`.",
        "Prefect 2 docs: Tasks, Wait for",
        lambda evidence: evidence.difference.kind == "order",
    ),
)
