"""One session: settings → environments → workers → descriptions → pairs, and the check of each pair."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from equivalence.config import Overrides, PairSettings, Settings, Side, load_settings
from equivalence.environments import Environment, SideRequest, ensure_environments
from equivalence.environments.cache import cache_root
from equivalence.errors import UsageProblem
from equivalence.flows import parse_selector
from equivalence.pairing import Broken, Pair, Pairing, pair_flows
from equivalence.revisions import with_revisions
from equivalence.sides import Described, Sides
from equivalence.worker import WorkerSpec

if TYPE_CHECKING:
    from equivalence.check import PairCheck


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the user's hooks say about a pair."""

    strategies: Callable[[Pair], Mapping[str, Any]]
    comparator: Callable[[Pair], Callable[[str, object, object], bool | None] | None]


class Session:
    """Everything that lives as long as the test session. ``progress`` is told what takes time."""

    def __init__(self, settings: Settings, progress: Callable[[str], None]) -> None:
        self.started = time.time()
        self.settings = settings
        self._progress = progress
        placed = with_revisions(settings, cache_root() / "revisions")
        v1, v2 = placed.v1, placed.v2
        self.environments = dict(
            zip(("v1", "v2"), ensure_environments(_request(v1), _request(v2), progress), strict=True)
        )
        self.sides = Sides(
            self._spec(v1, self.environments["v1"]),
            self._spec(v2, self.environments["v2"]),
            run_timeout=self.settings.run_timeout,
            load_timeout=self.settings.load_timeout,
        )
        self.sides.launch()
        # Hypothesis and deepdiff take a second to import: time that the workers need for Prefect anyway.
        import equivalence.check  # noqa: F401

        self._described: dict[str, Described] | None = None
        self._pairing: Pairing | None = None

    @classmethod
    def open(cls, root: Path, pyproject: Path | None, overrides: Overrides, progress: Callable[[str], None]) -> Session:
        """Read the settings, make the environments ready, start the workers. Raises UsageProblem."""
        return cls(load_settings(root, pyproject, overrides), progress)

    def _spec(self, side: Side, environment: Environment) -> WorkerSpec:
        shown = (self.settings.v1 if side.name == "v1" else self.settings.v2).flows
        return WorkerSpec(
            side=side.name,
            python=environment.python,
            root=_root_of(side.flows, shown, self.settings.root),
            flows=side.flows,
            shown=shown,
            shown_root=self.settings.root,
            python_path=side.python_path,
            home_template=environment.home_template,
            variables=self.settings.variables,
            secrets=self.settings.secrets,
        )

    @property
    def described(self) -> dict[str, Described]:
        """The flows of both sides, loaded once."""
        if self._described is None:
            self._described = self.sides.describe(self._builders(), self._progress)
        return self._described

    def _builders(self) -> dict[str, list[tuple[str, str]]]:
        """The functions that a configured pair names as building a flow, by side: file as written, function."""
        found: dict[str, list[tuple[str, str]]] = {"v1": [], "v2": []}
        for pair in self.settings.pairs.values():
            for side, text in (("v1", pair.v1), ("v2", pair.v2)):
                selector = parse_selector(text) if text else None
                if selector is not None and selector.call and selector.what:
                    found[side].append((selector.file, selector.what))
        return found

    @property
    def pairing(self) -> Pairing:
        """The pairs, and what has no counterpart."""
        if self._pairing is None:
            described = self.described
            self._pairing = pair_flows(
                self.settings,
                list(described["v1"].flows),
                list(described["v2"].flows),
                [*described["v1"].problems, *described["v2"].problems],
            )
        return self._pairing

    @property
    def broken(self) -> tuple[Broken, ...]:
        """Pairs of which a file did not load, and such files without a counterpart: each is an error of its own."""
        alone = tuple(
            Broken(PurePosixPath(problem.file).with_suffix("").as_posix(), (problem,), (), PairSettings(problem.file))
            for problem in self.pairing.problems
        )
        return self.pairing.broken + alone

    def pair(self, name: str) -> Pair:
        """The pair of this name. Raises UsageProblem."""
        for pair in self.pairing.pairs:
            if pair.name == name:
                return pair
        raise UsageProblem(f"there is no pair {name!r} any more; run `pytest --equivalence` to see the pairs there are")

    def check(
        self, pair: Pair, hooks: Hooks, progress: Callable[[str], None], runs_home: Path | None = None
    ) -> PairCheck:
        """The check of one pair, ready to run. Raises EquivalenceError for a pair no case can be made for.

        ``runs_home`` is where Prefect 2 runs that show a finding are kept.
        """
        from equivalence.check import PairCheck

        return PairCheck(
            pair,
            (self.described["v1"].flows[pair.v1], self.described["v2"].flows[pair.v2]),
            self.sides,
            shrink=self.settings.shrink,
            strategies=hooks.strategies(pair),
            comparator=hooks.comparator(pair),
            progress=progress,
            runs_home=runs_home,
        )

    def close(self) -> None:
        """End the workers."""
        self.sides.close()


def _root_of(flows: Path, shown: Path, root: Path) -> Path:
    """The folder that corresponds to the root: itself, or its place in the tree of a git revision."""
    if flows == shown or not shown.is_relative_to(root):
        return root
    return flows.parents[len(shown.relative_to(root).parts) - 1] if shown != root else flows


def _request(side: Side) -> SideRequest:
    return SideRequest(
        name=side.name,
        python=side.python,
        requirements=side.requirements,
        interpreter=side.interpreter,
        exclude_newer=side.exclude_newer,
    )
