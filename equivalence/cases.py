"""Cases of a pair: the explicit ones, defaults and edges first, and the strategy that draws the others."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument, NoSuchExample

from equivalence import domains, strategies
from equivalence.edges import edges, outside
from equivalence.errors import EquivalenceError, UsageProblem
from equivalence.inside import values
from equivalence.parameters import (
    Matching,
    ParameterDifference,
    SharedParameter,
    match_parameters,
    nearest,
    quoted,
    short,
    shown_name,
)

__all__ = [
    "Again",
    "Case",
    "Matching",
    "ParameterDifference",
    "SharedParameter",
    "UndrawableParameter",
    "case_strategy",
    "explicit_cases",
    "match_parameters",
    "resolve_overrides",
    "strategy_for",
]

MAX_EXPLICIT = 40
"""Explicit cases of a pair at most: the defaults and one edge at a time."""


class UndrawableParameter(EquivalenceError):
    """A parameter without a type that can be told and without a default, so no value is known to be meant."""


@dataclass(frozen=True, slots=True)
class Again:
    """One more run of the flow in the same case: so many seconds after the run before, with these parameters changed.

    What is not changed is as in the first run.
    """

    after: float = 0.0
    changed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One draw: the values given, by v1 name; a parameter that is absent keeps the flow's own default.

    ``again`` are further runs, which find what the runs before them left in the caches.
    """

    parameters: Mapping[str, Any]
    seed: int = 0
    matching: Matching = field(default_factory=lambda: Matching(""), repr=False)
    again: tuple[Again, ...] = ()

    @classmethod
    def of(
        cls, matching: Matching, parameters: Mapping[str, Any], seed: int = 0, again: tuple[Again, ...] = ()
    ) -> Case:
        """The case that gives these parameters (v1 names), in the order of the signature."""
        names = [shared.v1_name for shared in matching.shared if shared.v1_name in parameters]
        return cls({name: parameters[name] for name in names}, seed, matching, again)

    def runs(self) -> list[tuple[float, Case]]:
        """The runs of the case, each as a case of its own, with the seconds since the first."""
        runs = [(0.0, replace(self, again=()))]
        for again in self.again:
            at = runs[-1][0] + again.after
            runs.append((at, replace(self, parameters={**self.parameters, **again.changed}, again=())))
        return runs

    def for_v1(self) -> dict[str, Any]:
        """What the Prefect 1 flow is given."""
        return {**self.matching.fixed_v1, **self.parameters}

    def for_v2(self) -> dict[str, Any]:
        """What the Prefect 2 flow is given."""
        names = {shared.v1_name: shared.v2_name for shared in self.matching.shared}
        given = {names.get(name, name): value for name, value in self.parameters.items()}
        return {**self.matching.fixed_v2, **given}

    def key(self) -> str:
        """The same text for the same case, in whatever order its parameters were given."""
        again = [[one.after, dict(one.changed)] for one in self.again]
        return str(values.encode([dict(self.parameters), self.seed, again])["digest"])

    def show(self) -> str:
        """Short Python-like text."""
        first = _shown(self.parameters) or "the defaults"
        changed = False
        for again in self.again:
            first += f"; {_shown_again(again)}" + (" as at first" if changed and not again.changed else "")
            changed = changed or bool(again.changed)
        return first

    def __eq__(self, other: object) -> bool:
        """Cases that give the same are the same: nan is nan, and 1 is not True."""
        return isinstance(other, Case) and self.key() == other.key()

    def __hash__(self) -> int:
        """By the key."""
        return hash(self.key())


def _shown(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{shown_name(name)}={short(repr(value))}" for name, value in parameters.items())


def _shown_again(again: Again) -> str:
    changed = _shown(again.changed)
    when = f"{_span(again.after)} later" if again.after else "at once"
    return f"again {when}" + (f" with {changed}" if changed else "")


def _span(seconds: float) -> str:
    """``1 h 1 s``, ``1 d``, ``0.5 s``."""
    parts = []
    for name, length in (("d", 86400), ("h", 3600), ("min", 60)):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count:g} {name}")
    return " ".join([*parts, f"{seconds:g} s"] if seconds or not parts else parts)


def strategy_for(shared: SharedParameter, pair: str = "") -> st.SearchStrategy[Any]:
    """The values both sides accept. Raises UndrawableParameter, with the hook to write, if none is known."""
    if shared.domain is None:
        raise UndrawableParameter(_hook(shared, pair, "it has no default and no type that can be told"))
    try:
        drawn = strategies.strategy(shared.domain)
        drawn.validate()
    except InvalidArgument as error:
        raise UndrawableParameter(_hook(shared, pair, f"its bounds leave no value ({error})")) from None
    return drawn


def _hook(shared: SharedParameter, pair: str, why: str) -> str:
    declared = shared.v2.type
    annotated = f" (annotated {declared['annotation']})" if declared["type"] == "unknown" else ""
    return (
        f"pair {pair!r}: no values can be drawn for the parameter {shared.v1_name!r}{annotated}: {why}.\n"
        "Say what to draw, for instance:\n\n"
        "# conftest.py\n"
        "from hypothesis import strategies as st\n\n\n"
        "def pytest_equivalence_strategies(pair):\n"
        f"    if pair.name == {quoted(pair)}:\n"
        f"        return {{{quoted(shared.v1_name)}: st.integers(0, 100)}}\n"
    )


# ------------------------------------------------------------------------------------------------- cases


def resolve_overrides(
    matching: Matching, overrides: Mapping[str, st.SearchStrategy[Any]]
) -> dict[str, st.SearchStrategy[Any]]:
    """Strategies by v1 name. Raises UsageProblem for a name neither side has, and for what is no strategy."""
    by_name = {shared.v2_name: shared.v1_name for shared in matching.shared}
    by_name.update({shared.v1_name: shared.v1_name for shared in matching.shared})
    resolved = {}
    for name, strategy in overrides.items():
        where = f"pytest_equivalence_strategies, pair {matching.pair!r}"
        if name not in by_name:
            raise UsageProblem(f"{where}: both flows share no parameter {name!r}{nearest(name, by_name)}")
        if not isinstance(strategy, st.SearchStrategy):
            given = type(strategy).__name__
            raise UsageProblem(f"{where}: {name!r} must be a Hypothesis strategy, such as st.integers(), not {given}")
        resolved[by_name[name]] = strategy
    return resolved


def case_strategy(
    matching: Matching,
    overrides: Mapping[str, st.SearchStrategy[Any]] | None = None,
    gaps: Sequence[float] = (),
) -> st.SearchStrategy[Case]:
    """Cases that give each parameter a value or leave it at its default; shrinking leaves out what it can.

    With ``gaps``, the seconds that may lie between runs, a case may run the flow up to three times.
    """
    chosen = resolve_overrides(matching, overrides or {})
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for shared in matching.shared:
        if shared.held is not None and shared.v1_name not in chosen:
            continue
        drawn = chosen.get(shared.v1_name)
        if drawn is None:
            drawn = strategy_for(shared, matching.pair)
        (optional if shared.optional else required)[shared.v1_name] = drawn
    return _cases(matching, required, optional, gaps)


@st.composite
def _cases(
    draw: st.DrawFn,
    matching: Matching,
    required: Mapping[str, st.SearchStrategy[Any]],
    optional: Mapping[str, st.SearchStrategy[Any]],
    gaps: Sequence[float],
) -> Case:
    # Not fixed_dictionaries(optional=…): shrinking often leaves keys in that do not matter.
    given = {name: draw(strategy) for name, strategy in required.items()}
    for name, strategy in optional.items():
        if draw(_GIVEN):
            given[name] = draw(strategy)
    drawn = {**required, **optional}
    again = []
    for _ in range(draw(st.integers(0, 2)) if gaps else 0):
        after = draw(st.sampled_from(gaps))
        changed = draw(st.sampled_from([None, *sorted(drawn)]))
        again.append(Again(after, {} if changed is None else {changed: draw(drawn[changed])}))
    return Case.of(matching, given, again=tuple(again))


_GIVEN = st.integers(0, 3).map(bool)
"""Three times in four; 0, the simplest, leaves the parameter out."""


def explicit_cases(
    matching: Matching,
    overrides: Mapping[str, st.SearchStrategy[Any]] | None = None,
    limit: int = MAX_EXPLICIT,
    gaps: Sequence[float] = (),
) -> list[Case]:
    """The defaults first, then the edges of each parameter one at a time, the simpler ones of all before.

    With ``gaps`` the defaults are also run again after each, and at once with another value of each parameter.
    """
    chosen = resolve_overrides(matching, overrides or {})
    base: dict[str, Any] = {}
    columns: list[list[tuple[str, Any]]] = []
    for shared in matching.shared:
        name = shared.v1_name
        if name in chosen:
            if not shared.optional:
                base[name] = _simplest_of(chosen[name], shared, matching.pair)
            continue
        if shared.held is not None:
            continue
        strategy_for(shared, matching.pair)
        assert shared.domain is not None
        example = shared.example()
        found = list(edges(shared.domain, example))
        if not shared.optional:
            own = example is not None and domains.accepts(shared.domain, example)
            if own or found:
                base[name] = example if own else found[0]
            else:
                base[name] = _simplest_of(strategies.strategy(shared.domain), shared, matching.pair)
        found[1:1] = outside(shared.domain)
        columns.append([(name, edge) for edge in found])
    cases = [Case.of(matching, base)]
    cases += [Case.of(matching, base, again=(Again(gap),)) for gap in gaps]
    if gaps:
        others = [next((edge for edge in column if edge[1] != base.get(edge[0])), None) for column in columns]
        cases += [Case.of(matching, base, again=(Again(0.0, dict([other])),)) for other in others if other]
    del cases[limit:]
    known = {case.key() for case in cases}
    for row in range(max((len(column) for column in columns), default=0)):
        for column in columns:
            if row < len(column) and len(cases) < limit:
                case = Case.of(matching, {**base, column[row][0]: column[row][1]})
                if case.key() not in known:
                    known.add(case.key())
                    cases.append(case)
    return cases


def _simplest_of(strategy: st.SearchStrategy[Any], shared: SharedParameter, pair: str) -> Any:
    quiet = hypothesis.settings(
        database=None, max_examples=100, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
    )
    try:
        return hypothesis.find(strategy, lambda value: True, settings=quiet, random=random.Random(0))
    except NoSuchExample:
        raise UndrawableParameter(_hook(shared, pair, "its strategy gives no value")) from None
