"""What a rule of the catalogue is, what it may look at, and the tests that many rules share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from equivalence.compare.states import Difference
from equivalence.compare.traces import Comparison
from equivalence.trace import TaskRun, Trace


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a rule may look at: the difference, everything else that differs, and the two traces.

    ``run`` counts the runs of the flow in the same case before this one.
    """

    difference: Difference
    comparison: Comparison
    v1: Trace
    v2: Trace
    run: int = 0

    def runs(self) -> tuple[TaskRun | None, TaskRun | None]:
        """The two task runs that the difference is about."""
        for match in self.comparison.matches:
            if match.label == self.difference.task:
                return match.v1, match.v2
        return None, None


@dataclass(frozen=True, slots=True)
class Rule:
    """One behaviour change, in a row of the migration guide; ``cause``, ``fix`` and ``docs`` are for the reader.

    ``fix`` is in code where it can be; ``docs`` is the title of public documentation that describes the change.
    """

    id: str
    row: str
    title: str
    cause: str
    fix: str
    docs: str
    recognises: Callable[[Evidence], bool]


def kind_is(*kinds: str) -> Callable[[Evidence], bool]:
    """Any difference of these kinds."""
    return lambda evidence: evidence.difference.kind in kinds


def note_has(word: str, *kinds: str) -> Callable[[Evidence], bool]:
    """A difference of these kinds whose note says this."""
    return lambda evidence: evidence.difference.kind in kinds and word in evidence.difference.note


def of_result(test: Callable[[Evidence], bool]) -> Callable[[Evidence], bool]:
    """A difference of values for which the test holds."""
    return lambda evidence: evidence.difference.kind in ("result", "task-result") and test(evidence)


def of_final_state(test: Callable[[Evidence], bool]) -> Callable[[Evidence], bool]:
    """A difference of the flow's final state for which the test holds."""
    return lambda evidence: evidence.difference.kind == "final-state" and test(evidence)
