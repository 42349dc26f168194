"""A resource manager of Prefect 1 against a context manager of Prefect 2: set up, used in between, cleaned up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from equivalence import vocabulary
from equivalence.compare.align import Match, did_work, fold
from equivalence.compare.order import ancestors
from equivalence.compare.states import Difference, Tally
from equivalence.trace import TaskRun, Trace

PHASES = ("setup", "cleanup")


@dataclass(frozen=True, slots=True)
class Resource:
    """One use of a resource: its name, and the runs of its phases that there are."""

    name: str
    phases: Mapping[str, TaskRun]


def compare_resources(
    v1: Trace, v2: Trace, matches: Sequence[Match], names: Mapping[str, str], tally: Tally
) -> Iterator[Difference]:
    """Each phase happened or not and ended alike, and what used the resource lies between them.

    ===============================  =================================================================
    both sides have resources        matched in order, by folded name or as the only ones of each side
    v2 has none                      said, unless the pair's table names the tasks of the phases
    only v2 has one                  nothing: Prefect 1 had no such thing to compare with
    ===============================  =================================================================
    """
    old = [resource for resource in resources(v1) if not any(f"{resource.name}.{phase}" in names for phase in PHASES)]
    new = resources(v2)
    if old and not new and v2.side == "v2":
        tally.uncompared += [
            f"resource {resource.name}: the v2 flow function enters no context manager; if tasks do its work, write "
            f'tasks = {{ "{resource.name}.setup" = "…", "{resource.name}.cleanup" = "…" }} in the pair\'s table'
            for resource in old
        ]
        return
    for one, other in _paired(old, new):
        yield from _compare_phases(one, other, tally)
        if v1.side == "v1" and v2.side == "v2" and other is not None:
            yield from _compare_users(v1, one, other, matches, tally)


def resources(trace: Trace) -> list[Resource]:
    """The resources of a trace, in the order in which they are set up."""
    found: list[tuple[str, dict[str, TaskRun]]] = []
    for run in trace.tasks:
        role = (run.engine_made or "").removeprefix("resource-")
        if role not in PHASES or run.engine_made == role:
            continue
        name = run.key.name.removesuffix(f".{role}")
        waiting = next((phases for known, phases in reversed(found) if known == name and role not in phases), None)
        if role == "setup" or waiting is None:
            found.append((name, {role: run}))
        else:
            waiting[role] = run
    return [Resource(name, phases) for name, phases in found]


def _paired(old: Sequence[Resource], new: Sequence[Resource]) -> Iterator[tuple[Resource, Resource | None]]:
    left = list(new)
    alone = len({resource.name for resource in old}) == len({resource.name for resource in new}) == 1
    for resource in old:
        other = next((one for one in left if alone or fold(one.name) == fold(resource.name)), None)
        if other is not None:
            left.remove(other)
        yield resource, other


def _compare_phases(one: Resource, other: Resource | None, tally: Tally) -> Iterator[Difference]:
    for phase in PHASES:
        tally.compared += 1
        label = f"{one.name}.{phase}"
        old, new = one.phases.get(phase), other.phases.get(phase) if other is not None else None
        ran = old is not None and did_work(old), new is not None and did_work(new)
        shown = vocabulary.shown(old.final if old else None), vocabulary.shown(new.final if new else None)
        if ran[0] != ran[1]:
            yield Difference("task-missing" if ran[0] else "task-extra", f"tasks.{label}", *shown, label)
        elif old is not None and new is not None and vocabulary.kind_of_task(old) != vocabulary.kind_of_task(new):
            yield Difference("task-state", f"tasks.{label}.state", *shown, label)


def _compare_users(
    v1: Trace, one: Resource, other: Resource, matches: Sequence[Match], tally: Tally
) -> Iterator[Difference]:
    """The tasks that used the resource come after its set-up, and are certainly over before its clean-up."""
    setup, cleanup = other.phases.get("setup"), other.phases.get("cleanup")
    slots = {run.run: run for run in v1.tasks}
    names = {phase: run.run for phase, run in one.phases.items()}
    for match in matches:
        if match.v1 is None or match.v2 is None or not (did_work(match.v1) and did_work(match.v2)):
            continue
        path = f"tasks.{match.label}.order"
        if setup is not None and names.get("setup") in {run.run for run in ancestors(match.v1, slots, {})}:
            tally.compared += 1
            if setup.run not in match.v2.after:
                shown = f"after {one.name}.setup", f"before {one.name}.setup"
                yield Difference("order", path, *shown, match.label)
        if cleanup is not None and "cleanup" in names and _before(match.v1, one.phases["cleanup"], slots):
            tally.compared += 1
            if match.v2.run not in cleanup.after:
                shown = f"before {one.name}.cleanup", f"not waited for before {one.name}.cleanup"
                yield Difference("order", path, *shown, match.label)


def _before(run: TaskRun, cleanup: TaskRun, slots: Mapping[str, TaskRun]) -> bool:
    name = run.run.rpartition("[")[0] if run.key.map_index is not None else run.run
    return name in {before.run for before in ancestors(cleanup, slots, {})}
