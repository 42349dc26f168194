"""pytest's collectors and items: a flow file holds its pairs, and a pair is checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from equivalence.plugin.run import RUN, flows_of

if TYPE_CHECKING:
    from equivalence.pairing import Broken, Pair


class FlowFile(pytest.File):
    """A flow file: its pairs."""

    def collect(self) -> Iterator[PairItem]:
        """One item per pair; items of one name get the pair's."""
        run = self.config.stash[RUN]
        taken: set[str] = set()
        for pair in run.here(self.path):
            name = run.name(pair)
            name = pair.name if name in taken else name
            taken.add(name)
            yield PairItem.from_parent(self, name=name, pair=pair)


class PairItem(pytest.Item):
    """One pair, checked; passes when nothing differs."""

    def __init__(self, *, pair: Pair | Broken, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pair = pair
        # -k knows the pair's name as well, which the report shows, and not only the variable.
        self.extra_keyword_matches.add(pair.name)
        self.data: dict[str, Any] | None = None
        self.answer: str | None = None
        self.when = "call"

    def setup(self) -> None:
        """A pair of which a file did not load is an error, and no failure."""
        from equivalence.report import data

        if hasattr(self.pair, "problems"):
            self.when = "setup"
            redactor = self.config.stash[RUN].redactor
            self.data = redactor.pair(data.broken_data(self.pair))  # type: ignore[arg-type]
            raise Unusable(redactor.text(self.pair.message))  # type: ignore[union-attr]

    def runtest(self) -> None:
        """Check the pair, or replay one finding of it."""
        from equivalence.errors import EquivalenceError, UsageProblem
        from equivalence.report import data, terminal

        run = self.config.stash[RUN]
        assert run.session is not None
        progress = terminal.Progress(self.config, self.nodeid)
        pair: Pair = self.pair  # type: ignore[assignment]
        try:
            folder = run.folder() if run.replay is None else None
            check = run.session.check(pair, self._hooks(), progress, folder and folder / data.RUNS)
            if run.replay is not None:
                self._replay(check, run.replay[1])
                return
            result = check.run()
        except UsageProblem as error:
            pytest.exit(run.redactor.text(str(error)), returncode=pytest.ExitCode.USAGE_ERROR)
        except EquivalenceError as error:
            told = run.redactor.text(str(error))
            self.data = data.error_data(pair.name, pair.v1.selector, pair.v2.selector, told)
            raise Unusable(told) from None
        finally:
            progress.clear()
        self.data = run.redactor.pair(data.pair_data(result))
        if result.verdict == "divergent":
            raise Divergent(terminal.failure_block(self.data))
        if result.verdict == "vacuous":
            pytest.skip(terminal.vacuous_reason(self.data))

    def _replay(self, check: Any, finding: Any) -> None:
        from equivalence.judge import identities
        from equivalence.report import data, terminal

        if not finding["lines"]:  # a difference of the signatures, which no run shows
            still = next((one for one in check.declared() if one.id == finding["id"]), None)
            verdict = "FIXED: the signatures agree there" if still is None else "STILL DIFFERENT"
            self.answer = f"{finding['id']}: {verdict}"
            if still is not None:
                told = terminal.still_declared(data.finding_data(still))
                raise Divergent(self.config.stash[RUN].redactor.text(told))
            return
        drawn = finding["case"]
        case = check.case(data.parameters_of(drawn), drawn["seed"], data.again_of(drawn))
        comparison, given = check.replay(case)
        differences = identities(comparison)
        if differences:
            self.answer = f"{finding['id']}: STILL DIFFERENT"
            same = any(identity.kind == finding["kind"] for identity in differences)
            told = terminal.replay_failure(finding, list(differences.values()), same, given)
            raise Divergent(self.config.stash[RUN].redactor.text(told))
        self.answer = self.config.stash[RUN].redactor.text(terminal.replay_success(finding, comparison, given))

    def _hooks(self) -> Any:
        from equivalence.session import Hooks

        hook = self.ihook

        def strategies(pair: Pair) -> dict[str, Any]:
            found: dict[str, Any] = {}
            for answer in reversed(hook.pytest_equivalence_strategies(pair=pair)):
                found.update(answer or {})
            return found

        def comparator(pair: Pair) -> Any:
            if not hook.pytest_equivalence_compare.get_hookimpls():
                return None
            return lambda path, v1, v2: hook.pytest_equivalence_compare(pair=pair, path=path, v1=v1, v2=v2)

        return Hooks(strategies, comparator)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The flow's file and line."""
        flows = flows_of(self.pair)
        line = next((flow.line for flow in flows if flow.line), None)
        return self.path, None if line is None else line - 1, self.pair.name


class Divergent(Exception):
    """The two flows of a pair behave differently; the text is the block that the terminal shows."""


class Unusable(Exception):
    """A pair could not be checked; the text says why."""
