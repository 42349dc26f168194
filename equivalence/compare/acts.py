"""What handlers and hooks did: notifications, and functions of the user's that both flows have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from equivalence import vocabulary
from equivalence.compare.align import Match, fold
from equivalence.compare.states import Difference, Tally
from equivalence.trace import Act, State, Trace

CHANNELS = frozenset(("slack", "email"))


def compare_acts(v1: Trace, v2: Trace, matches: Sequence[Match], tally: Tally) -> Iterator[Difference]:
    """Each act by its name and what it was about, a task run or the flow.

    ==============================================  ==========================================================
    v1 handler at a state that a retry followed     passed over where v2 has no such: hooks come at the end
    v2 function called by the flow function itself  stands for any call of v1's handlers by that name
    a function that only one flow's file defines    said: it may have another name, or be gone
    ==============================================  ==========================================================
    """
    labels = {run.run: match.label for match in matches for run in (match.v1, match.v2) if run is not None}
    names = sorted({fold(act.name) for act in v1.acts} | {fold(act.name) for act in v2.acts if act.handled})
    known = [{fold(name) for name in trace.functions} | CHANNELS for trace in (v1, v2)]
    for folded in names:
        old = [act for act in v1.acts if fold(act.name) == folded]
        new = [act for act in v2.acts if fold(act.name) == folded]
        name = next(act.name for act in (*old, *new))
        if not all(folded in there for there in known):
            if old:
                tally.uncompared.append(
                    f"effects: handlers call {old[0].name}, which the v2 flow's file does not define"
                )
            continue
        tally.compared += max(len(old), len(new))
        yield from _compare(name, v1, old, new, labels, tally)


def _compare(
    name: str, v1: Trace, old: Sequence[Act], new: Sequence[Act], labels: dict[str, str], tally: Tally
) -> Iterator[Difference]:
    wanted = Counter(_about(act, labels) for act in old if not _retried(act, v1))
    handled = Counter(_about(act, labels) for act in new if act.handled)
    free = sum(not act.handled for act in new)
    dropped = Counter(_about(act, labels) for act in old if _retried(act, v1))
    if dropped and not (handled - wanted):
        tally.normalise("handler-at-each-attempt", sum(dropped.values()))
    else:
        wanted += dropped
    missing, extra = wanted - handled, handled - wanted
    covered = min(free, sum(missing.values()))
    free -= covered
    for subject in list(missing.elements())[covered:]:
        yield _difference(name, subject, _shown(old, subject, labels), "not called", labels)
    for subject in extra.elements():
        yield _difference(name, subject, "not called", _shown(new, subject, labels), labels)
    if free:
        yield _difference(name, "the flow", f"called {len(old)} times", f"called {len(new)} times", labels)


def _difference(name: str, subject: str, old: str, new: str, labels: dict[str, str]) -> Difference:
    task = subject if subject in labels.values() else None
    path = f"effects.{name}" if task is None else f"tasks.{task}.effects.{name}"
    return Difference("effect", path, old, new, task)


def _about(act: Act, labels: dict[str, str]) -> str:
    return "the flow" if act.run is None else labels.get(act.run, act.run)


def _shown(acts: Sequence[Act], subject: str, labels: dict[str, str]) -> str:
    found = [act for act in acts if _about(act, labels) == subject]
    states = ", ".join(dict.fromkeys(act.state for act in found if act.state))
    return f"called for {subject}{f' ({states})' if states else ''}"


def _retried(act: Act, v1: Trace) -> bool:
    """Whether the act was about no end at all, or about a failed attempt that was not the last one."""
    run = next((run for run in v1.tasks if run.run == act.run), None)
    states: Sequence[State] = v1.states if act.run is None else run.states if run is not None else ()
    followed = [state.type for state in states[act.place + 1 : act.place + 2]]
    kind = vocabulary.kind_of_state(v1.side, State(act.state, act.state, "", 0.0))
    return kind == vocabulary.RUNNING or followed == ["Retrying"]
