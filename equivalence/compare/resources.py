"""A resource manager of Prefect 1 against a context manager of Prefect 2: set up, used in between, cleaned up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from equivalence import vocabulary
from equivalence.compare.align import RESOURCE_PHASES, Match, did_work, fold
from equivalence.compare.order import ancestors, mapped_children
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
    the pair's table names a phase   its runs are matched like those of any task; what used the
                                     resource is compared here
    both sides have resources        matched in order, by name, folded name, or as the only ones
    v2 has none of its name          said, where Prefect 1 set something up
    only v2 has one                  nothing: Prefect 1 had no such thing to compare with
    ===============================  =================================================================
    """
    answers = {match.v1.run: match.v2 for match in matches if match.v1 is not None}
    old, new = resources(v1), resources(v2)
    by_table = [one for one in old if any(run.run in answers for run in one.phases.values())]
    for one, other in _paired([one for one in old if one not in by_table], new, names, tally):
        if other is not None:
            yield from _compare_phases(one, other, tally)
            yield from _compare_users(v1, one, other, matches, tally)
        elif any(did_work(run) for run in one.phases.values()):
            tally.uncompared.append(_not_compared(one.name, PHASES))
    for one in by_table:
        unnamed = [phase for phase, run in one.phases.items() if run.run not in answers and did_work(run)]
        if unnamed:
            tally.uncompared.append(_not_compared(one.name, unnamed))
        phases = {phase: answers.get(run.run) for phase, run in one.phases.items()}
        other = Resource(one.name, {phase: run for phase, run in phases.items() if run is not None})
        yield from _compare_users(v1, one, other, matches, tally)


def _not_compared(name: str, phases: Sequence[str]) -> str:
    line = ", ".join(f'"{name}.{phase}" = "…"' for phase in phases)
    return (
        f"resource {name}: the v2 flow function enters no context manager of that name; write tasks = {{ {line} }} in "
        "the pair's table, with the tasks that do its work, or `name.setup` and `name.cleanup` of the context manager"
    )


def resources(trace: Trace) -> list[Resource]:
    """The resources of a trace, in the order in which they are set up."""
    found: list[tuple[str, dict[str, TaskRun]]] = []
    for run in trace.tasks:
        if run.engine_made not in RESOURCE_PHASES:
            continue
        role = run.engine_made.removeprefix("resource-")
        name = run.key.name.removesuffix(f".{role}")
        waiting = [phases for known, phases in reversed(found) if known == name and role not in phases]
        if role == "setup" or not waiting:
            found.append((name, {role: run}))
        else:
            waiting[0][role] = run
    return [Resource(name, phases) for name, phases in found]


def _paired(
    old: Sequence[Resource], new: Sequence[Resource], names: Mapping[str, str], tally: Tally
) -> Iterator[tuple[Resource, Resource | None]]:
    """Each use of a resource with its counterpart; that one use of two is missing shows in its phases.

    A context manager of another name stands for the resource only where there is no other on either side.
    """
    left = list(new)
    alone = len({resource.name for resource in old}) == len({resource.name for resource in new}) == 1
    for resource in old:
        asked = {names.get(f"{resource.name}.{phase}", "").removesuffix(f".{phase}") for phase in PHASES} - {""}
        wanted = {fold(name) for name in asked or {resource.name}}
        known = [one for one in new if fold(one.name) in wanted] or (list(new) if alone else [])
        other = next((one for one in left if one in known), None)
        if other is not None:
            left.remove(other)
            if fold(other.name) not in wanted:
                tally.normalise("resource-renamed")
        yield resource, other if other is not None or not known else Resource(resource.name, {})


def _compare_phases(one: Resource, other: Resource, tally: Tally) -> Iterator[Difference]:
    for phase in PHASES:
        old, new = one.phases.get(phase), other.phases.get(phase)
        if old is None:
            continue  # a Prefect 1 resource manager need not have a set-up
        tally.compared += 1
        label = f"{one.name}.{phase}"
        ran = did_work(old), new is not None and did_work(new)
        shown = vocabulary.shown(old.final), "not run" if new is None else vocabulary.shown(new.final)
        if ran[0] != ran[1]:
            yield Difference("task-missing" if ran[0] else "task-extra", f"tasks.{label}", *shown, label)
        elif new is not None and vocabulary.kind_of_task(old) != vocabulary.kind_of_task(new):
            yield Difference("task-state", f"tasks.{label}.state", *shown, label)


def _compare_users(
    v1: Trace, one: Resource, other: Resource, matches: Sequence[Match], tally: Tally
) -> Iterator[Difference]:
    """The tasks that used the resource come after its set-up, and are certainly over before its clean-up."""
    if v1.side != "v1" or any(run.side != "v2" for run in other.phases.values()):
        return
    setup, cleanup = other.phases.get("setup"), other.phases.get("cleanup")
    slots, children = {run.run: run for run in v1.tasks}, mapped_children(v1)
    names = {phase: run.run for phase, run in one.phases.items()}
    before = {run.run for run in ancestors(one.phases["cleanup"], slots, children)} if "cleanup" in names else set()
    for match in matches:
        if match.v1 is None or match.v2 is None or not (did_work(match.v1) and did_work(match.v2)):
            continue
        if match.v1.run in names.values():
            continue
        path = f"tasks.{match.label}.order"
        if setup is not None and names.get("setup") in {run.run for run in ancestors(match.v1, slots, children)}:
            tally.compared += 1
            if setup.run not in match.v2.after:
                shown = f"after {one.name}.setup", f"before {one.name}.setup"
                yield Difference("order", path, *shown, match.label)
        if cleanup is not None and match.v1.run in before:
            tally.compared += 1
            if match.v2.run not in cleanup.after:
                shown = f"before {one.name}.cleanup", f"not waited for before {one.name}.cleanup"
                yield Difference("order", path, *shown, match.label)
