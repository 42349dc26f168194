"""Two traces in, their differences out: states, retries, exceptions, results, task by task.

Pure. Nothing is equal by silence: what was looked at, ignored, normalised, opaque or not comparable is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from equivalence import vocabulary
from equivalence.compare.acts import compare_acts
from equivalence.compare.align import Match, align, did_work
from equivalence.compare.children import compare_children
from equivalence.compare.logs import compare_logs
from equivalence.compare.order import compare_order
from equivalence.compare.outputs import Uncomparable, match_outputs
from equivalence.compare.resources import compare_resources
from equivalence.compare.retries import compare_retries, declared_otherwise, shortened
from equivalence.compare.rules import ValueRules, is_ignored
from equivalence.compare.states import (
    Difference,
    Tally,
    compare_exceptions,
    compare_flow_exception,
    compare_flow_state,
    compare_pauses,
    compare_refusal,
    compare_task_state,
    flow_kind,
)
from equivalence.compare.tree import Value
from equivalence.compare.values import compare_values
from equivalence.trace import TaskRun, Trace

ASPECTS = ("state", "result", "exception", "tasks", "retries")


@dataclass(frozen=True, slots=True)
class Rules:
    """What is compared and how strictly; ``tasks`` is the pair's table of task names, ``values`` its value rules."""

    compare: tuple[str, ...] = ASPECTS
    states: str = "kind"
    tasks: Mapping[str, str] = field(default_factory=dict)
    output_v1: str | None = None
    output_v2: str | None = None
    values: ValueRules = field(default_factory=ValueRules)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences of two traces in the order of the flow, and the statement of what was compared.

    ``compared`` counts the places looked at; ``matched`` the task runs that have a counterpart.
    """

    differences: tuple[Difference, ...]
    compared: int
    matches: tuple[Match, ...]
    ignored: Mapping[str, int]
    normalised: Mapping[str, int]
    opaque: tuple[str, ...]
    uncompared: tuple[str, ...]

    @property
    def matched(self) -> int:
        """Task runs with a counterpart."""
        return sum(match.v1 is not None and match.v2 is not None for match in self.matches)

    @property
    def first_task(self) -> str | None:
        """The first task, in the order of the old flow, at which the traces disagree."""
        return next((difference.task for difference in self.differences if difference.task is not None), None)


def compare(v1: Trace, v2: Trace, rules: Rules) -> Comparison:
    """Compare two traces of one case."""
    tally = Tally()
    differences: list[Difference] = list(compare_refusal(v1, v2, tally))
    matches: tuple[Match, ...] = ()
    if not differences and v1.rejected is None and v2.rejected is None:
        matches = align(v1, v2, rules.tasks)
        if "state" in rules.compare:
            differences.extend(compare_flow_state(v1, v2, rules.states, tally))
            differences.extend(compare_pauses(v1, v2, tally))
        for match in matches:
            differences.extend(_compare_match(match, rules, tally))
        if "tasks" in rules.compare:
            differences.extend(compare_resources(v1, v2, matches, rules.tasks, tally))
        differences.extend(_compare_order(v1, matches, rules, tally, differences))
        if "tasks" in rules.compare:
            differences.extend(compare_children(v1, v2, rules.states, tally))
        differences.extend(_compare_acts(v1, v2, matches, rules, tally))
        if "logs" in rules.compare:
            differences.extend(compare_logs(v1, v2, matches, tally))
        if "exception" in rules.compare:
            differences.extend(compare_flow_exception(v1, v2, tally))
        if "result" in rules.compare:
            differences.extend(_compare_outputs(v1, v2, rules, tally))
    kept = []
    for difference in differences:
        pattern = is_ignored(difference.path, rules.values)
        if pattern is None:
            kept.append(difference)
        else:
            tally.ignored[pattern] = tally.ignored.get(pattern, 0) + 1
    return Comparison(
        differences=tuple(kept),
        compared=tally.compared,
        matches=matches,
        ignored=tally.ignored,
        normalised=tally.normalised,
        opaque=tuple(dict.fromkeys(tally.opaque)),
        uncompared=tuple(dict.fromkeys(tally.uncompared)),
    )


def in_sequence(comparisons: Sequence[Comparison]) -> Comparison:
    """The comparisons of the runs of one case as one; differences of later runs say which: ``run[2].tasks.load``."""
    if len(comparisons) == 1:
        return comparisons[0]
    differences = [
        difference if index == 0 else replace(difference, path=f"run[{index + 1}].{difference.path}")
        for index, comparison in enumerate(comparisons)
        for difference in comparison.differences
    ]
    counts: list[dict[str, int]] = []
    for name in ("ignored", "normalised"):
        total: dict[str, int] = {}
        for comparison in comparisons:
            for rule, count in getattr(comparison, name).items():
                total[rule] = total.get(rule, 0) + count
        counts.append(total)
    return Comparison(
        differences=tuple(differences),
        compared=sum(comparison.compared for comparison in comparisons),
        matches=tuple(match for comparison in comparisons for match in comparison.matches),
        ignored=counts[0],
        normalised=counts[1],
        opaque=tuple(dict.fromkeys(said for comparison in comparisons for said in comparison.opaque)),
        uncompared=tuple(dict.fromkeys(said for comparison in comparisons for said in comparison.uncompared)),
    )


def _compare_order(
    v1: Trace, matches: Sequence[Match], rules: Rules, tally: Tally, known: Sequence[Difference]
) -> list[Difference]:
    """Dependencies that are certain no more: differences on request, and said in any case."""
    said = {difference.path for difference in known}
    found = [difference for difference in compare_order(v1, matches) if difference.path not in said]
    if "order" in rules.compare:
        tally.compared += sum(match.v1 is not None and match.v2 is not None for match in matches)
        return found
    if found:
        lost = ", ".join(f"{one.task} {one.v2}" for one in found[:3])
        tally.uncompared.append(f'order: {lost}; write compare = [..., "order"] to make this a finding')
    return []


def _compare_acts(v1: Trace, v2: Trace, matches: Sequence[Match], rules: Rules, tally: Tally) -> list[Difference]:
    """What handlers did: differences on request, and said in any case."""
    found = list(compare_acts(v1, v2, matches, tally))
    if "effects" in rules.compare or not found:
        return found
    told = "; ".join(f"{one.path.rpartition('.')[2]}: v1 {one.v1}, v2 {one.v2}" for one in found[:3])
    tally.uncompared.append(f'effects: {told}; write compare = [..., "effects"] to make this a finding')
    return []


def _compare_match(match: Match, rules: Rules, tally: Tally) -> list[Difference]:
    """Everything about two matched task runs, or about one that stands alone."""
    label = match.label
    found: list[Difference] = []
    v1, v2 = match.v1, match.whole
    if v1 is None or v2 is None or _untouched(v1) != _untouched(v2):
        old, new = v1 is not None and did_work(v1), v2 is not None and did_work(v2)
        if old == new or "tasks" not in rules.compare:
            return []
        tally.compared += 1
        kind = "task-missing" if old else "task-extra"
        return [Difference(kind, f"tasks.{label}", _seen(v1), _seen(v2), label)]
    if not did_work(v1) and not did_work(v2):
        # Skipped, never reached, or not called at all: the engines have several names for nothing.
        return list(compare_task_state(v1, v2, label, rules.states, tally)) if "tasks" in rules.compare else []
    if "tasks" in rules.compare:
        found.extend(_compare_rounds(match, v1, tally))
        if match.hit_in_run:
            tally.normalise("cache-hit-within-a-run")
            return found + list(_task_results(match, rules, tally))
        found.extend(compare_task_state(v1, v2, label, rules.states, tally))
    if found and not (v1.attempts and v2.attempts):
        return found  # one of them never began, which its state has said
    if "retries" in rules.compare:
        tally.compared += 1 + min(len(v1.delays), len(v2.delays))
        if shortened(v1, v2):
            tally.normalise("sub-second-delay")
        retries = [
            Difference(retry.kind, f"tasks.{label}.{retry.path}", retry.v1, retry.v2, label, retry.note)
            for retry in compare_retries(v1, v2)
        ]
        # Other retries than declared in the old flow are why the state differs; else the number of attempts follows it.
        found = retries + found if (v1.retries or 0) != (v2.retries or 0) else found + retries
        found += [
            Difference(one.kind, f"tasks.{match.name}.{one.path}", one.v1, one.v2, match.name, one.note)
            for one in declared_otherwise(v1, v2)
        ]
    if "exception" in rules.compare:
        found.extend(compare_exceptions(v1, v2, label, tally))
    if "tasks" in rules.compare:
        found.extend(_task_results(match, rules, tally))
    return found


def _task_results(match: Match, rules: Rules, tally: Tally) -> list[Difference]:
    old = match.v1.result if match.v1 is not None else None
    new = match.v2.result if match.v2 is not None else None
    if old is None or new is None:
        return []
    return _compare_value("task-result", old, new, f"tasks.{match.label}.result", rules, tally, match.label)


def _compare_rounds(match: Match, v1: TaskRun, tally: Tally) -> list[Difference]:
    """The rounds of a Prefect 1 loop against the calls of the task in Prefect 2; those within a task are not seen."""
    if not v1.loops or (match.v2 is not None and match.v2.side == v1.side):
        return []
    if not match.rounds:
        tally.normalise("loop-in-task")
        if _resumed(v1):
            tally.uncompared.append(
                f"task {match.name}: Prefect 1 went on in the round of its loop that failed; a loop in the Prefect 2 "
                "task begins again when it is retried, and does the work of the rounds before a second time"
            )
        return []
    tally.normalise("loop-in-flow")
    tally.compared += 1
    old, new = v1.loops + 1, len(match.rounds) + 1
    if old == new:
        return []
    kind = "task-missing" if old > new else "task-extra"
    return [Difference(kind, f"tasks.{match.label}.rounds", f"{old} rounds", f"{new} calls", match.label)]


def _resumed(run: TaskRun) -> bool:
    """Whether a Prefect 1 task was retried after the first round of its loop."""
    types = [state.type for state in run.states]
    return "Looped" in types and "Retrying" in types[types.index("Looped") :]


def _untouched(run: TaskRun) -> bool:
    """Whether a task run never began, so that it says no more than one that does not exist."""
    return not run.attempts and not did_work(run)


def _seen(run: TaskRun | None) -> str:
    return "not run" if run is None else vocabulary.shown(run.final)


def _compare_outputs(v1: Trace, v2: Trace, rules: Rules, tally: Tally) -> list[Difference]:
    """What the two flows give, where both ended well."""
    if flow_kind(v1) != vocabulary.COMPLETED or flow_kind(v2) != vocabulary.COMPLETED:
        return []
    found: list[Difference] = []
    for item in match_outputs(v1, v2, rules.output_v1, rules.output_v2):
        if isinstance(item, Uncomparable):
            tally.uncompared.append(item.why)
        else:
            path = "result" + item.suffix
            found.extend(_compare_value("result", item.v1, item.v2, path, rules, tally, None))
    return found


def _compare_value(
    kind: str, v1: Value, v2: Value, path: str, rules: Rules, tally: Tally, task: str | None
) -> list[Difference]:
    comparison = compare_values(v1, v2, path=path, rules=rules.values)
    tally.compared += comparison.compared
    tally.opaque.extend(comparison.opaque)
    for pattern, count in comparison.ignored.items():
        tally.ignored[pattern] = tally.ignored.get(pattern, 0) + count
    for rule, count in comparison.normalised.items():
        tally.normalise(rule, count)
    return [
        Difference(kind, difference.path, difference.v1, difference.v2, task, difference.note)
        for difference in comparison.differences
    ]
