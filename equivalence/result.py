"""What is known of a pair: of one case, of all cases together, and its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from equivalence.cases import Case
from equivalence.compare.states import Difference, flow_kind
from equivalence.compare.traces import Comparison
from equivalence.judge import Finding, Identity, Noise
from equivalence.pairing import Pair
from equivalence.summary import Given
from equivalence.trace import Trace


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one case came to, without the traces: they are large, and their values are gone with the next run.

    ``progressed`` says that at least one task, or a result, was really compared.
    """

    case: Case
    differences: Mapping[Identity, Difference]
    first: Identity | None
    first_task: str | None
    rules: Mapping[Identity, str | None]
    completed: bool
    rejected: bool
    failed_alike: bool
    progressed: bool
    given: Given


@dataclass(slots=True)
class Coverage:
    """What all cases of a pair together looked at and passed over."""

    labels: dict[str, set[str]] = field(
        default_factory=lambda: {"v1": set(), "v2": set(), "matched": set(), "reached": set()}
    )
    compared: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    normalised: Counter[str] = field(default_factory=Counter)
    opaque: dict[str, None] = field(default_factory=dict)
    uncompared: dict[str, None] = field(default_factory=dict)
    replaced: dict[str, None] = field(default_factory=dict)

    def add(self, comparison: Comparison, traces: Sequence[Trace]) -> bool:
        """Count one case; whether a task of it ran on both sides."""
        self.compared += comparison.compared
        self.ignored.update(comparison.ignored)
        self.normalised.update(comparison.normalised)
        self.opaque.update(dict.fromkeys(comparison.opaque))
        self.uncompared.update(dict.fromkeys(comparison.uncompared))
        reached = False
        for match in comparison.matches:
            sides = [name for name, run in (("v1", match.v1), ("v2", match.v2)) if run is not None]
            both = len(sides) == 2
            ran = both and match.v1 is not None and match.v1.attempts > 0
            reached = reached or ran
            for name in [*sides, *(["matched"] if both else []), *(["reached"] if ran else [])]:
                self.labels[name].add(match.label)
        for trace in traces:
            self.replaced.update(dict.fromkeys(f"{trace.side}: {what}" for what in trace.replaced))
        if all(trace.ended is not None for trace in traces):
            self.uncompared[f"both sides were cut short: {traces[0].reason}"] = None
            return False
        return reached


@dataclass(frozen=True, slots=True)
class PairResult:
    """Everything that is known of a pair after its check."""

    pair: Pair
    verdict: str
    findings: tuple[Finding, ...] = ()
    noise: tuple[Noise, ...] = ()
    cases: int = 0
    completed: int = 0
    failed: int = 0
    refused: int = 0
    tasks: Mapping[str, int] = field(default_factory=dict)
    compared: int = 0
    ignored: Mapping[str, int] = field(default_factory=dict)
    normalised: Mapping[str, int] = field(default_factory=dict)
    opaque: tuple[str, ...] = ()
    uncompared: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    stopped: str | None = None
    settled: int | None = None
    error: str | None = None


def behaviour(comparison: Comparison, traces: Sequence[Trace]) -> set[Hashable]:
    """What a case did, without its values: how flows and tasks ended, after how many attempts, with what sort of value.

    A case that shows nothing of this that was not seen before brings little, and ten in a row say that the rest will.
    """
    shown: set[Hashable] = {Identity.of(difference) for difference in comparison.differences}
    for trace in traces:
        shown.add((trace.side, flow_kind(trace), trace.exception.type if trace.exception is not None else None))
        for run in trace.tasks:
            error = run.exception.type if run.exception is not None else None
            result = run.result.sort if run.result is not None else None
            shown.add((trace.side, run.key.shown, run.final and run.final.name, run.attempts, error, result))
    return shown


def verdict_of(findings: tuple[Finding, ...], noise: tuple[Noise, ...], outcomes: list[Outcome]) -> str:
    """The verdict of a pair from what was found.

    ============================================================  ===========
    a finding                                                     divergent
    no case ran, or none got as far as a task or an output        vacuous
    only noise                                                    noisy
    else                                                          equivalent
    ============================================================  ===========
    """
    if findings:
        return "divergent"
    if not any(outcome.progressed for outcome in outcomes):
        return "vacuous"
    return "noisy" if noise else "equivalent"
