"""Flows that a flow runs: which, with which parameters, and how they ended."""

from __future__ import annotations

from collections.abc import Iterator

from equivalence import vocabulary
from equivalence.compare.align import fold
from equivalence.compare.states import Difference, Tally
from equivalence.trace import ChildRun, Trace


def compare_children(v1: Trace, v2: Trace, strictness: str, tally: Tally) -> Iterator[Difference]:
    """Child runs of one flow name in their order; names without case, spaces, ``-`` and ``_``.

    Where the Prefect 1 flow runs no other flow, the subflows of Prefect 2 only group tasks, which are compared.
    """
    if not v1.children and v1.side != v2.side:
        tally.normalise("subflow-as-group", len(v2.children))
        return
    names = dict.fromkeys(fold(child.name) for child in (*v1.children, *v2.children))
    for name in names:
        old = [child for child in v1.children if fold(child.name) == name]
        new = [child for child in v2.children if fold(child.name) == name]
        label = (old or new)[0].name
        for index in range(max(len(old), len(new))):
            tally.compared += 1
            path = f"flows.{label}" if index == 0 else f"flows.{label}#{index + 1}"
            if index >= len(old) or index >= len(new):
                kind = "task-missing" if index < len(old) else "task-extra"
                there = (old if index < len(old) else new)[index]
                shown = [vocabulary.shown(there.final), "not run"]
                yield Difference(kind, path, *(shown if index < len(old) else shown[::-1]))
                continue
            yield from _compare(old[index], new[index], path, v1.side, v2.side, strictness, tally)


def _compare(
    one: ChildRun, other: ChildRun, path: str, old: str, new: str, strictness: str, tally: Tally
) -> Iterator[Difference]:
    kinds = [vocabulary.kind_of_state(side, child.final) for side, child in ((old, one), (new, other))]
    levels = [
        vocabulary.level(side, child.final, kind, strictness)
        for side, child, kind in zip((old, new), (one, other), kinds, strict=True)
    ]
    if levels[0] != levels[1]:
        yield Difference("final-state", f"{path}.state", vocabulary.shown(one.final), vocabulary.shown(other.final))
    given = {fold(name): (name, *value) for name, value in one.parameters.items()}
    taken = {fold(name): value for name, value in other.parameters.items()}
    for name, (shown, digest, text) in given.items():
        if name not in taken:
            tally.normalise("child-parameter-of-one-side")
            continue
        tally.compared += 1
        if taken[name][0] != digest:
            yield Difference("parameter", f"{path}.parameters.{shown}", text, taken[name][1])
