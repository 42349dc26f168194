"""One pair under Hypothesis: draw a case, run it on both sides, compare, shrink what differs, confirm it.

Hypothesis explores and shrinks in two separate calls, so that each has a budget of its own (its own limit of 300 s
for shrinking is no setting). Both are answered from the cache of cases that already ran; over budget, a case that
never ran counts as passing, and the report says that shrinking stopped early.
"""

from __future__ import annotations

import sys
import time
import unittest
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import hypothesis.core
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase
from hypothesis.errors import FlakyFailure, Unsatisfiable

from equivalence import catalogue, vocabulary
from equivalence.caching import gaps, gaps_seen
from equivalence.cases import Again, Case, case_strategy, explicit_cases
from equivalence.compare.retries import DECLARED
from equivalence.compare.rules import ValueRules, is_ignored
from equivalence.compare.states import Difference, flow_kind
from equivalence.compare.traces import Comparison, Rules, compare, in_sequence
from equivalence.config import PairSettings
from equivalence.declared import compare_declared
from equivalence.descriptions import FlowDescription
from equivalence.errors import EquivalenceError
from equivalence.judge import Finding, Identity, Noise, identities, judge, primary, size
from equivalence.pairing import Pair
from equivalence.parameters import Matching, match_parameters
from equivalence.result import Coverage, Outcome, PairResult, behaviour, verdict_of
from equivalence.shrink import smaller
from equivalence.sides import FlowOutputs, Sides
from equivalence.summary import Given, given_lines
from equivalence.trace import Trace

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup  # type: ignore[import-not-found,unused-ignore]

Runs: TypeAlias = tuple[tuple[Trace, Trace], ...]
"""The traces of each run of a case, v1's and v2's."""

EXPLICIT_SHARE = 0.5
"""At most this share of the cases are the defaults and edge values; the rest is drawn."""

PATIENCE = 4
"""Without ``patience`` in the settings, drawing ends after a quarter of ``examples`` in a row showed nothing new."""

LEAST_PATIENCE = 5
"""And not after fewer draws than these."""


class Divergence(Exception):
    """Raised inside Hypothesis for a case at which the two sides disagree."""


class Enough(BaseException):
    """The budget, or the number of cases, is used up. No Exception: Hypothesis would go on drawing, at a cost."""


class PairCheck:
    """The check of one pair; ``progress`` is told the number of cases after each.

    ``runs_home`` is where the Prefect 2 runs that show a finding are kept; None keeps none.
    """

    def __init__(
        self,
        pair: Pair,
        descriptions: tuple[FlowDescription, FlowDescription],
        sides: Sides,
        *,
        shrink: float,
        strategies: Mapping[str, st.SearchStrategy[Any]] | None = None,
        comparator: Callable[[str, object, object], bool | None] | None = None,
        progress: Callable[[str], None] = lambda text: None,
        runs_home: Path | None = None,
    ) -> None:
        self._runs_home = runs_home
        self._pair = pair
        self._sides = sides
        self._shrink = shrink
        self._strategies = strategies or {}
        self._progress = progress
        self._matching: Matching = match_parameters(*descriptions, pair.settings)
        self._held_back = tuple(
            f"{side}: {note}" for side, one in zip(("v1", "v2"), descriptions, strict=True) for note in one.notes
        )
        self._declared = compare_declared(*descriptions)
        self._gaps = gaps(*descriptions)
        self._rules = rules_of(pair.settings, comparator)
        self._outputs = outputs_of(pair.settings)
        self._outcomes: dict[str, Outcome] = {}
        self._best: dict[Identity, Outcome] = {}
        self._primaries: dict[Identity, Outcome] = {}
        self._types: dict[Identity, type[Divergence]] = {}
        self._database_key = f"equivalence {pair.name}".encode()
        self._reused: frozenset[bytes] = frozenset()
        self._coverage = Coverage()
        self._began = time.monotonic()
        self._seconds = dict(sides.seconds)
        self._deadline = self._began
        self._limit: int | None = None
        self._patience: int | None = None
        self._shown: set[Hashable] = set()
        self._quiet = 0
        self._stopped: str | None = None
        self._settled: int | None = None
        self._doing = "explored"

    def run(self) -> PairResult:
        """Explore, shrink, judge; every measured thing is in the result."""
        declared = tuple(self.declared())
        if self._matching.blocked:
            return self._result(declared, ())
        self._explore()
        if self._primaries and self._shrink > 0:
            self._shrink_all()
        findings, noise = self._judge()
        return self._result(declared + _without_shown(findings), noise)

    def replay(self, case: Case) -> tuple[Comparison, Given]:
        """Run one case on both sides and compare."""
        runs = self._run(case)
        return self._compare(runs), given_lines(case, *runs[-1])

    @property
    def cases(self) -> list[Case]:
        """The cases that ran, in their order."""
        return [outcome.case for outcome in self._outcomes.values()]

    def case(self, parameters: Mapping[str, Any], seed: int = 0, again: tuple[Again, ...] = ()) -> Case:
        """The case that gives these parameters, by their v1 names, and runs the flow again so."""
        return Case.of(self._matching, parameters, seed, again)

    # ------------------------------------------------------------------------------------------- one case

    def _execute(self, case: Case) -> Outcome:
        """Run a case that was not run yet, and keep what it came to."""
        runs = self._run(case)
        _demand_support(runs)
        self._gaps = self._gaps or gaps_seen(runs)
        comparisons = [compare(v1, v2, self._rules) for v1, v2 in runs]
        comparison = in_sequence(comparisons)
        reached = [self._coverage.add(one, traces) for one, traces in zip(comparisons, runs, strict=True)]
        news = {fact for one, traces in zip(comparisons, runs, strict=True) for fact in behaviour(one, traces)}
        self._quiet = 0 if news - self._shown else self._quiet + 1
        self._shown |= news
        differences = identities(comparison)
        kinds = [flow_kind(trace) for trace in runs[0]]
        completed = kinds == [vocabulary.COMPLETED] * 2
        telling = next((index for index, one in enumerate(comparisons) if one.differences), len(runs) - 1)
        outcome = Outcome(
            case=case,
            differences=differences,
            first=primary(comparison),
            first_task=comparison.first_task,
            rules=_rules(comparisons, runs),
            completed=completed,
            rejected=any(trace.rejected is not None for trace in runs[0]),
            failed_alike=kinds[0] == kinds[1] and not completed,
            progressed=any(reached) or completed,
            given=given_lines(case, *runs[telling]),
        )
        self._outcomes[case.key()] = outcome
        for identity in differences:
            known = self._best.get(identity)
            if known is None or size(case) < size(known.case):
                self._best[identity] = outcome
        if outcome.first is not None:
            known = self._primaries.get(outcome.first)
            if known is None or size(case) < size(known.case):
                self._primaries[outcome.first] = outcome
        self._progress(f"{len(self._outcomes)} cases, {time.monotonic() - self._began:.0f} s{self._state()}")
        return outcome

    def _state(self) -> str:
        found = len(self._primaries)
        return f", {found} finding{'s' if found > 1 else ''} being {self._doing}" if found else ""

    def _run(self, case: Case) -> Runs:
        return self._sides.run(self._pair.v1, self._pair.v2, case, self._outputs)

    def _compare(self, runs: Sequence[Sequence[Trace]]) -> Comparison:
        return in_sequence([compare(traces[0], traces[1], self._rules) for traces in runs])

    def _answer(self, case: Case) -> Outcome | None:
        """The outcome of a case; None when it never ran and the budget, or the number of cases, is used up."""
        known = self._outcomes.get(case.key())
        if known is not None:
            return known
        if self._limit is not None and len(self._outcomes) >= self._limit:
            return None
        if self._patience is not None and self._quiet >= self._patience:
            self._settled = self._quiet
            return None
        if self._outcomes and time.monotonic() > self._deadline:  # the defaults run in any case
            self._stopped = self._doing
            return None
        return self._execute(case)

    def _test(self, case: Case) -> None:
        """What Hypothesis calls: raises a class of its own for each finding, which keeps them apart."""
        outcome = self._answer(case)
        if outcome is None:
            raise Enough
        first = outcome.first
        if first is not None and first.kind == "contract":
            return  # every case shows it: Hypothesis would stop drawing for what no drawing makes smaller
        # What the defaults show cannot be made smaller: no time is spent on other cases of it.
        smallest = self._doing == "shrunk" and first is not None and not any(size(self._primaries[first].case)[:2])
        if first is not None and not smallest:
            raised = self._types.setdefault(first, type("Divergence", (Divergence,), {}))
            raise raised(first.path)

    # ------------------------------------------------------------------------------------ explore and shrink

    def _explore(self) -> None:
        examples = self._pair.settings.examples or 1
        self._deadline = self._began + (self._pair.settings.budget or 0.0)
        self._limit = examples
        share = max(1, int(examples * EXPLICIT_SHARE))
        for case in self._explicit(share):
            if self._answer(case) is None:
                break
        if not (self._matching.drawn or self._strategies or self._gaps):
            return
        # A seed asks for the same cases again, whatever was found since; without a database nothing could be shrunk.
        seeded = hypothesis.core.global_force_seed is not None
        self._database = (None if seeded else settings().database) or InMemoryExampleDatabase()
        self._reused = frozenset(self._database.fetch(self._database_key))
        patience = self._pair.settings.patience
        self._patience = max(examples // PATIENCE, LEAST_PATIENCE) if patience is None else patience or None
        self._quiet = 0
        # Twice as many draws as cases: those that repeat an earlier case are not run again, and cost nothing.
        self._hypothesis((Phase.reuse, Phase.generate, Phase.target), 2 * examples)

    def _explicit(self, limit: int) -> Iterator[Case]:
        """The defaults, and then, when they have told which tasks cache, the other explicit cases."""
        for begin, end in ((0, 1), (1, limit)):
            yield from explicit_cases(self._matching, self._strategies, limit=limit, gaps=self._gaps)[begin:end]

    def _shrink_all(self) -> None:
        """The smallest case of each finding, within the budget for shrinking."""
        self._doing = "shrunk"
        self._stopped = None
        self._limit = self._patience = None
        self._deadline = time.monotonic() + self._shrink
        # By our own steps first: they drop what does not matter at once, and work on edge cases, which are no draws.
        for identity in list(self._primaries):
            self._make_smaller(identity)
        if self._matching.drawn or self._strategies or self._gaps:
            self._shrink_draws()

    def _shrink_draws(self) -> None:
        """Let Hypothesis shrink what it drew and filed while exploring.

        Hypothesis takes what lies under a test's own key for shrunk already, and what lies under the secondary key
        for candidates (hypothesis/internal/conjecture/engine.py, ``reuse_existing_test_cases``): they lie there in a
        database of their own for this call.
        """
        found = self._database
        key = self._database_key
        drawn = sorted(set(found.fetch(key)) - self._reused)
        if not drawn:
            return
        self._database = InMemoryExampleDatabase()
        for choices in drawn:
            self._database.save(key + b".secondary", choices)
        self._hypothesis((Phase.reuse, Phase.shrink), len(drawn))
        shrunk = set(self._database.fetch(key))
        for choices in set(drawn) - shrunk if shrunk else ():
            found.move(key, key + b".secondary", choices)
        for choices in shrunk:
            found.save(key, choices)

    def _make_smaller(self, identity: Identity) -> None:
        improved = True
        while improved:
            improved = False
            best = self._primaries[identity].case
            for candidate in smaller(best):
                if size(candidate) >= size(best):
                    continue
                outcome = self._answer(candidate)
                if outcome is None:
                    return
                if identity in outcome.differences:
                    self._primaries[identity] = self._best[identity] = outcome
                    improved = True
                    break

    def _hypothesis(self, phases: tuple[Phase, ...], examples: int) -> None:
        execute = given(case=case_strategy(self._matching, self._strategies, self._gaps))(self._as_function())
        execute = settings(
            max_examples=examples,
            phases=[phase for phase in phases if phase in settings().phases or phase is Phase.reuse],
            database=self._database,
            deadline=None,
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=True,
            print_blob=False,
        )(execute)
        # Hypothesis files its examples under this key: one entry for each pair, with a seed as well.
        execute._hypothesis_internal_database_key = self._database_key  # type: ignore[attr-defined]
        try:
            execute()
        except (Divergence, Enough):
            pass
        except BaseExceptionGroup as group:
            rest = group.split(Divergence)[1]
            if rest is not None:
                raise rest from None
        except (FlakyFailure, Unsatisfiable):
            pass  # what differed was kept with its case; whether it is real is the judge's question
        except unittest.SkipTest:
            pass  # a profile without the phase "generate", and nothing in the database: the explicit cases ran

    def _as_function(self) -> Callable[..., None]:
        def execute(case: Case) -> None:
            self._test(case)

        execute.__qualname__ = f"equivalence[{self._pair.name}]"
        return execute

    # ------------------------------------------------------------------------------------------- findings

    def declared(self) -> list[Finding]:
        """Differences of the two signatures, schedules and deployments, found before anything runs."""
        differences = [
            Difference("parameter", declared.path, declared.v1, declared.v2, note=declared.note)
            for declared in self._matching.differences
        ]
        ignored = self._rules.values
        differences += [one for one in self._declared.differences if is_ignored(one.path, ignored) is None]
        return [
            Finding(
                id=Identity.of(difference).id(self._pair.name),
                difference=difference,
                case=Case.of(self._matching, {}),
                rule=catalogue.explain_declared(difference),
                shrunk=True,
                confirmed=True,
            )
            for difference in differences
        ]

    def _judge(self) -> tuple[tuple[Finding, ...], tuple[Noise, ...]]:
        findings: list[Finding] = []
        noise: list[Noise] = []
        standing: dict[Identity, str] = {}
        for identity, outcome in sorted(self._primaries.items(), key=lambda item: item[0]):
            verdict = self._confirm(self._finding(identity, outcome))
            if isinstance(verdict, Noise):
                noise.append(verdict)
            else:
                findings.append(verdict)
                standing[identity] = verdict.id
        for identity, outcome in self._best.items():
            if identity in self._primaries:
                continue
            follows = standing.get(outcome.first) if outcome.first is not None else None
            finding = self._finding(identity, outcome)
            if follows is not None:
                findings.append(replace(finding, follows=follows, confirmed=True))
                continue
            verdict = self._confirm(finding)
            (noise if isinstance(verdict, Noise) else findings).append(verdict)  # type: ignore[arg-type]
        return tuple(findings), tuple(noise)

    def _finding(self, identity: Identity, outcome: Outcome) -> Finding:
        return Finding(
            id=identity.id(self._pair.name),
            difference=outcome.differences[identity],
            case=outcome.case,
            rule=outcome.rules[identity],
            shrunk=self._shrink > 0 and self._stopped is None,
            first_task=outcome.first_task,
            also=tuple(difference.path for other, difference in outcome.differences.items() if other != identity),
            lines={"given": outcome.given.given, "v1": outcome.given.v1, "v2": outcome.given.v2},
        )

    def _confirm(self, finding: Finding) -> Finding | Noise:
        """Run the smallest case twice more on both sides, and let the judge say what it is."""
        one = [self._sides.keep(traces) for traces in self._run(finding.case)]
        finding = self._keep_run(finding, one[-1][1].flow_run)
        # Another seed: what an old flow draws at random is no behaviour that the new one has to repeat.
        two = self._run(replace(finding.case, seed=finding.case.seed + 1))
        return judge(
            finding,
            [self._compare(one), self._compare(two)],
            self._compare([(first[0], second[0]) for first, second in zip(one, two, strict=True)]),
            self._compare([(first[1], second[1]) for first, second in zip(one, two, strict=True)]),
        )

    def _keep_run(self, finding: Finding, run: str | None) -> Finding:
        """Keep the Prefect 2 run of a finding, so that its UI can show it."""
        if run is None or self._runs_home is None:
            return finding
        return replace(finding, flow_run=self._sides.keep_run(run, self._runs_home))

    # --------------------------------------------------------------------------------------------- result

    def _result(self, findings: tuple[Finding, ...], noise: tuple[Noise, ...]) -> PairResult:
        outcomes = list(self._outcomes.values())
        coverage = self._coverage
        wall = time.monotonic() - self._began
        seconds = {side: total - self._seconds[side] for side, total in self._sides.seconds.items()}
        overhead = max(wall - max(seconds.values()), 0.0)  # both sides run at the same time
        return PairResult(
            pair=self._pair,
            verdict=verdict_of(findings, noise, outcomes),
            findings=findings,
            noise=noise,
            cases=len(outcomes),
            completed=sum(outcome.completed for outcome in outcomes),
            failed=sum(outcome.failed_alike for outcome in outcomes),
            refused=sum(outcome.rejected for outcome in outcomes),
            tasks={name: len(labels) for name, labels in coverage.labels.items()},
            compared=coverage.compared,
            ignored=coverage.ignored,
            normalised=coverage.normalised,
            opaque=tuple(coverage.opaque),
            uncompared=(*self._declared.uncompared, *coverage.uncompared),
            replaced=tuple(coverage.replaced),
            notes=self._matching.notes + self._held_back,
            seconds={**seconds, "overhead": overhead, "wall": wall},
            stopped=self._stopped,
            settled=self._settled,
        )


def _without_shown(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings without what is declared of a task where a run showed it as well."""
    shown = {
        (finding.difference.task or "").partition("[")[0].partition("#")[0]
        for finding in findings
        if finding.difference.kind in ("retry-count", "retry-delay", "task-state")
    }
    return tuple(
        finding for finding in findings if finding.difference.note != DECLARED or finding.difference.task not in shown
    )


def rules_of(pair: PairSettings, comparator: Callable[[str, object, object], bool | None] | None = None) -> Rules:
    """What is compared of a pair, from its settings."""
    return Rules(
        compare=pair.compare or (),
        states=pair.states or "kind",
        tasks=pair.tasks,
        output_v1=pair.output_v1,
        output_v2=pair.output_v2,
        values=ValueRules(
            ignore=pair.ignore, tolerance=pair.tolerance, unordered=pair.unordered, comparator=comparator
        ),
    )


def outputs_of(pair: PairSettings) -> FlowOutputs:
    """The tasks named as output; v2's are found in its trace, v1's have to be asked for."""
    wanted = pair.output_v1
    return FlowOutputs(v1=(wanted[5:],) if wanted is not None and wanted.startswith("task:") else ())


def _demand_support(runs: Runs) -> None:
    """Raise EquivalenceError where a flow asked for what only a backend has: its trace would be wrong."""
    for trace in (trace for traces in runs for trace in traces):
        for what in trace.unsupported:
            raise EquivalenceError(
                f"the {trace.side} flow cannot be run here: {what}.\n"
                "What it does after that would be no behaviour of the flow. Put the call behind a parameter or a "
                "variable of [tool.equivalence.environment], so that it is left out where no backend is."
            )


def _rules(comparisons: Sequence[Comparison], runs: Runs) -> dict[Identity, str | None]:
    """The rule that explains each difference, found in the run that it is of."""
    found: dict[Identity, str | None] = {}
    for index, (comparison, traces) in enumerate(zip(comparisons, runs, strict=True)):
        for difference in comparison.differences:
            rule = catalogue.explain(catalogue.Evidence(difference, comparison, *traces, run=index))
            path = difference.path if index == 0 else f"run[{index + 1}].{difference.path}"
            found.setdefault(Identity.of(replace(difference, path=path)), rule.id if rule is not None else None)
    return found
