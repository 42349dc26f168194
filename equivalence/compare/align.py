"""Which task run of one trace answers to which of the other."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from equivalence import vocabulary
from equivalence.trace import TaskRun, Trace

RESOURCE_PHASES = ("resource-setup", "resource-cleanup")
"""Roles of the task runs in which a resource is set up and cleaned up."""


@dataclass(frozen=True, slots=True)
class Match:
    """Task runs that stand for each other; one side is None where the other has no counterpart.

    ``rounds`` are the calls of the new flow before ``v2`` that stand for the rounds of a loop of the old one.
    ``hit_in_run`` says that v2 took from the cache what an earlier call of the same run had put there: Prefect 1 fills
    its caches after a run.
    """

    v1: TaskRun | None
    v2: TaskRun | None
    rounds: tuple[TaskRun, ...] = ()
    hit_in_run: bool = False

    @property
    def label(self) -> str:
        """The task run's name for a reader: v1's where there is one."""
        run = self.v1 or self.v2
        assert run is not None
        return run.key.shown

    @property
    def name(self) -> str:
        """The task's name, without call and map index."""
        run = self.v1 or self.v2
        assert run is not None
        return run.key.name

    @property
    def whole(self) -> TaskRun | None:
        """v2's task run with the retries of the calls before it, which in Prefect 1 were retries of one task run."""
        if self.v2 is None or not self.rounds:
            return self.v2
        calls = (*self.rounds, self.v2)
        return replace(
            self.v2,
            attempts=1 + sum(max(0, call.attempts - 1) for call in calls),
            delays=tuple(delay for call in calls for delay in call.delays),
            failures=tuple(failure for call in calls for failure in call.failures),
        )


def fold(name: str) -> str:
    """A name without what renaming for Python changes: case, spaces, ``-`` and ``_``."""
    return "".join(character for character in name.casefold() if character not in " -_")


def align(v1: Trace, v2: Trace, names: Mapping[str, str]) -> tuple[Match, ...]:
    """Match the user's task runs of two traces, in the order in which v1's flow was built, v2's own ones last.

    ``names`` is the pair's ``tasks`` table. A name is looked for as configured, then exactly, then folded where that
    is unique on both sides.
    """
    managers = {run.key.name for run in v2.tasks if run.engine_made in RESOURCE_PHASES}
    left, right = _groups(v1, {old for old, new in names.items() if new not in managers}), _groups(v2)
    counterparts = match_names(tuple(left), tuple(right), names)
    matches: list[Match] = []
    for name, runs in left.items():
        others = right.pop(counterparts[name]) if name in counterparts else []
        matches.extend(_marked(match, others) for match in _zip(runs, others))
    for others in right.values():
        matches.extend(Match(None, run) for run in others)
    return tuple(matches)


def _marked(match: Match, others: Sequence[TaskRun]) -> Match:
    """The match, with a cache hit of v2 marked that an earlier call of the same run answers for."""
    old, new = match.v1, match.v2
    if old is None or new is None or new.result is None or new.side == old.side:
        return match
    if vocabulary.kind_of_task(new) != vocabulary.CACHED or vocabulary.kind_of_task(old) != vocabulary.COMPLETED:
        return match
    earlier = others[: others.index(new)]
    filled = any(run.attempts and run.result is not None and run.result.digest == new.result.digest for run in earlier)
    return replace(match, hit_in_run=True) if filled else match


def match_names(v1: Sequence[str], v2: Sequence[str], names: Mapping[str, str]) -> dict[str, str]:
    """v1 name → v2 name; each name is used once."""
    found = {old: new for old, new in names.items() if old in v1 and new in v2}
    taken = set(found.values())
    for name in v1:
        if name not in found and name in v2 and name not in taken and name not in names:
            found[name] = name
            taken.add(name)
    folded_left = _folded(name for name in v1 if name not in found)
    folded_right = _folded(name for name in v2 if name not in taken)
    for key, candidates in folded_left.items():
        others = folded_right.get(key, [])
        if len(candidates) == 1 and len(others) == 1:
            found[candidates[0]] = others[0]
    return found


def _folded(names: Iterable[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(fold(name), []).append(name)
    return groups


def _groups(trace: Trace, named: Collection[str] = ()) -> dict[str, list[TaskRun]]:
    """Task runs by name, each group by call and map index; names in the order of first appearance.

    Prefect 1 announces a mapped task with the flow and its children when they run: the place is the mapped task's.
    The phases of a resource manager count where the pair's table names tasks for them.
    """
    groups: dict[str, list[TaskRun]] = {run.key.name: [] for run in trace.tasks}
    phases = (run for run in trace.tasks if run.engine_made in RESOURCE_PHASES and run.key.name in named)
    for run in (*trace.user_tasks, *phases):
        groups[run.key.name].append(run)
    groups = {name: runs for name, runs in groups.items() if runs}
    for runs in groups.values():
        runs.sort(key=lambda run: (run.key.call, -1 if run.key.map_index is None else run.key.map_index))
    return groups


def did_work(run: TaskRun) -> bool:
    """Whether a task run is more than a place that was skipped or never reached."""
    return vocabulary.kind_of_task(run) != vocabulary.NOT_RUN


def _zip(left: Sequence[TaskRun], right: Sequence[TaskRun]) -> list[Match]:
    """Match the runs of one task in order.

    =====================  ==========================================================================
    equal counts           one to one
    a loop in the old      its rounds, by LOOP in one run, to as many calls
    equal counts of runs   one to one among those that did work; Prefect 2 has no run of a task that
    that did work          an ``if`` left out, where Prefect 1 has a Skipped or TriggerFailed one
    else                   the longest common sequence of outcomes, the rest one to one, then alone
    =====================  ==========================================================================
    """
    if len(left) == len(right):
        return [Match(a, b) for a, b in zip(left, right, strict=True)]
    if any(run.loops for run in left) and len(right) > len(left):
        return _unrolled(left, right)
    worked_left = [run for run in left if did_work(run)]
    worked_right = [run for run in right if did_work(run)]
    idle = [Match(run, None) for run in left if not did_work(run)]
    idle += [Match(None, run) for run in right if not did_work(run)]
    if len(worked_left) == len(worked_right):
        return [Match(a, b) for a, b in zip(worked_left, worked_right, strict=True)] + idle
    matches: list[Match] = []
    matcher = difflib.SequenceMatcher(
        None,
        [_outcome(run) for run in worked_left],
        [_outcome(run) for run in worked_right],
        autojunk=False,
    )
    for _, low, high, other_low, other_high in matcher.get_opcodes():
        block, others = worked_left[low:high], worked_right[other_low:other_high]
        shared = min(len(block), len(others))
        matches.extend(Match(a, b) for a, b in zip(block[:shared], others[:shared], strict=True))
        matches.extend(Match(run, None) for run in block[shared:])
        matches.extend(Match(None, run) for run in others[shared:])
    return matches + idle


def _unrolled(left: Sequence[TaskRun], right: Sequence[TaskRun]) -> list[Match]:
    """The rounds of each loop to as many calls; the last loop gets what is left, or what there is."""
    matches: list[Match] = []
    rest = list(right)
    for position, run in enumerate(left):
        last = position == len(left) - 1
        calls, rest = (rest, []) if last else (rest[: run.loops + 1], rest[run.loops + 1 :])
        matches.append(Match(run, calls[-1] if calls else None, tuple(calls[:-1])))
    return matches


def _outcome(run: TaskRun) -> Hashable:
    digest = run.result.digest if run.result is not None else None
    exception = (run.exception.type, run.exception.message) if run.exception is not None else None
    return vocabulary.kind_of_task(run), digest, exception
