"""Log lines of the user's own code: level and message, task by task, in their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from equivalence.compare.align import Match
from equivalence.compare.states import ADDRESS, Difference, Tally
from equivalence.trace import LogLine, TaskRun, Trace


def compare_logs(v1: Trace, v2: Trace, matches: Sequence[Match], tally: Tally) -> Iterator[Difference]:
    """Lines of matched tasks, then those of the flow itself where both have some.

    A Prefect 1 flow has no code of its own, only its state handlers: what a Prefect 2 flow function logs is counted and
    not compared where the old flow logged nothing outside its tasks.
    """
    for match in matches:
        yield from _compare(_lines(v1, match.v1), _lines(v2, match.v2), f"tasks.{match.label}.", match.label, tally)
    old, new = [[line for line in trace.logs if line.run is None] for trace in (v1, v2)]
    if old or v1.side == v2.side:
        yield from _compare(old, new, "", None, tally)
    elif new:
        tally.normalise("flow-function-logs", len(new))


def _lines(trace: Trace, run: TaskRun | None) -> list[LogLine]:
    return [] if run is None else [line for line in trace.logs if line.run == run.run]


def _compare(
    old: Sequence[LogLine], new: Sequence[LogLine], prefix: str, task: str | None, tally: Tally
) -> Iterator[Difference]:
    tally.compared += max(len(old), len(new))
    for index in range(max(len(old), len(new))):
        one = old[index] if index < len(old) else None
        other = new[index] if index < len(new) else None
        if one is None or other is None or not _same(one, other, tally):
            yield Difference("log", f"{prefix}logs[{index}]", _shown(one), _shown(other), task)
            return  # what follows a line too many or too few differs for that


def _same(one: LogLine, other: LogLine, tally: Tally) -> bool:
    messages = one.message, other.message
    if messages[0] != messages[1]:
        if ADDRESS.sub("0x…", messages[0]) != ADDRESS.sub("0x…", messages[1]):
            return False
        tally.normalise("memory-address")
    return one.level == other.level


def _shown(line: LogLine | None) -> str:
    return "nothing" if line is None else f"{line.level} {line.message}"
