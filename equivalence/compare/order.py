"""Whether tasks that depended on each other in Prefect 1 still come one after the other in Prefect 2.

What is asked of Prefect 2 is certainty: that the earlier task was over when the later one was created, because the
flow function waited for it or handed it on. That it happened to run first proves nothing under a concurrent runner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from equivalence.compare.align import RESOURCE_PHASES, Match, did_work
from equivalence.compare.states import Difference
from equivalence.trace import TaskRun, Trace


def compare_order(v1: Trace, matches: Sequence[Match]) -> Iterator[Difference]:
    """One difference for each task that is no longer certain to come after one it depended on.

    None where only a task before it lost that: what it handed on is told there.
    """
    if v1.side != "v1" or any(match.v2 is not None and match.v2.side != "v2" for match in matches):
        return
    counterparts = {
        match.v1.run: match for match in matches if match.v1 is not None and match.v2 is not None and _worked(match)
    }
    slots = {run.run: run for run in v1.tasks}
    children = mapped_children(v1)
    before = {name: list(ancestors(slots[name], slots, children)) for name in counterparts}
    lost = {
        name: {
            run.run for run in before[name] if run.run in counterparts and not _certain(counterparts[run.run], match)
        }
        for name, match in counterparts.items()
    }
    for name, match in counterparts.items():
        assert match.v1 is not None
        assert match.v2 is not None
        if match.v1.engine_made in RESOURCE_PHASES:
            continue  # what lies between them is compared for each resource
        kept = [run.run for run in before[name] if run.run in counterparts and run.run not in lost[name]]
        inherited = set().union(*(lost[one] for one in kept))
        own = [
            run for run in before[name] if run.run in lost[name] and not (run.run in inherited and _far(run, match.v1))
        ]
        if own:
            first = own[0]
            other = counterparts[first.run].v2
            assert other is not None
            turned = _began(other) > _began(match.v2)
            names = first.key.shown
            yield Difference(
                "order",
                f"tasks.{match.label}.order",
                f"after {names}",
                f"before {names}" if turned else f"not waiting for {names}",
                match.label,
            )


def mapped_children(v1: Trace) -> dict[str, list[TaskRun]]:
    """The children of each mapped task of a Prefect 1 trace, by its run id."""
    children: dict[str, list[TaskRun]] = {}
    for run in v1.tasks:
        if run.key.map_index is not None:
            children.setdefault(run.run.rpartition("[")[0], []).append(run)
    return children


def ancestors(
    run: TaskRun, slots: Mapping[str, TaskRun], children: Mapping[str, Sequence[TaskRun]]
) -> Iterator[TaskRun]:
    """The task runs that a task run of Prefect 1 comes after, the nearest first.

    Of a mapped upstream a child follows the child of its own index, where the two have as many; a task that is not
    mapped follows all of them.
    """
    seen = {run.run}
    queue = [(run.key.map_index, len(children.get(run.run.rpartition("[")[0], ())), name) for name in run.upstream]
    while queue:
        index, count, name = queue.pop(0)
        if name in seen or name not in slots:
            continue
        seen.add(name)
        mapped = children.get(name, ())
        final = slots[name].final
        if not mapped and final is not None and final.type == "Mapped":
            continue  # nothing to map over: Prefect 2 has no run that could wait for what came before
        if not mapped:
            yield slots[name]
        elif index is None:
            yield from mapped
        elif len(mapped) == count:
            yield from (child for child in mapped if child.key.map_index == index)
        queue += [(index if mapped else None, count, other) for other in slots[name].upstream]


def _worked(match: Match) -> bool:
    both = match.v1 is not None and match.v2 is not None
    return both and did_work(match.v1) and did_work(match.v2)  # type: ignore[arg-type]


def _far(before: TaskRun, run: TaskRun) -> bool:
    """Whether other tasks lie between the two."""
    return not {before.run, before.run.rpartition("[")[0]} & set(run.upstream)


def _certain(before: Match, later: Match) -> bool:
    return before.v2 is not None and later.v2 is not None and before.v2.run in later.v2.after


def _began(run: TaskRun) -> float:
    return next((state.at for state in run.states if state.type == "RUNNING"), 0.0)
