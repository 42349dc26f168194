"""A run in one line: what was given, what each side did."""

from __future__ import annotations

from dataclasses import dataclass

from equivalence import vocabulary
from equivalence.cases import Case
from equivalence.compare.render import render
from equivalence.compare.tree import Value
from equivalence.trace import Trace

WIDTH = 160


@dataclass(frozen=True, slots=True)
class Given:
    """Given / v1 / v2, a line each."""

    given: str
    v1: str
    v2: str


def given_lines(case: Case, v1: Trace, v2: Trace) -> Given:
    """The three lines of one case."""
    return Given(_cut(case.show()), _cut(what_it_did(v1)), _cut(what_it_did(v2)))


def what_it_did(trace: Trace) -> str:
    """``Success, load_totals gave {'rows': 4}``; ``Failed, ValueError('no rows') in load``; ``refused …``."""
    if trace.ended is not None:
        return f"{trace.ended}: {trace.reason}"
    if trace.rejected is not None:
        return f"refused its parameters: {trace.rejected.shown}".splitlines()[0]
    state = vocabulary.shown(trace.final)
    failed = next((run for run in trace.user_tasks if run.exception is not None), None)
    if failed is not None and failed.exception is not None:
        tries = f" after {failed.attempts} attempts" if failed.attempts > 1 else ""
        state += f", {failed.exception.shown} in {failed.key.shown}{tries}"
    elif trace.exception is not None:
        state += f", {trace.exception.shown}"
    if trace.outputs and state in ("Success", "Completed"):
        output = trace.outputs[0]
        verb = "returned" if output.name == "return" else f"{output.name} gave"
        state += f", {verb} {_value(output.value)}"
    return state


def _value(value: Value) -> str:
    if value.at is not None:
        return f"a value of {value.nodes} nodes"
    return render(value.root())


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
