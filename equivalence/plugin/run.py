"""The plugin's state during one session: settings and workers, and which arguments stand for which pairs."""

from __future__ import annotations

import functools
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from equivalence.flows import FileProblem, FlowInfo
    from equivalence.pairing import Broken, Pair
    from equivalence.redaction import Redactor
    from equivalence.session import Session

RUN = pytest.StashKey["Run"]()


class Run:
    """The plugin's state during one session: the pairs on a worker, the report where the terminal is."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.session: Session | None = None
        self.started = time.time()
        self.data: list[dict[str, Any]] = []
        self.answers: list[str] = []
        self.context: dict[str, Any] = {"environments": {}, "unpaired": [], "ambiguous": []}
        self.replay: tuple[Any, Any] | None = None
        self._distributes = config.pluginmanager.hasplugin("dsession")
        self._is_worker = hasattr(config, "workerinput")

    def open(self) -> None:
        """Settings, environments, workers; under xdist the controller only makes the environments ready.

        The workers start before anything heavy is imported here.
        """
        from equivalence.config import Overrides
        from equivalence.errors import EquivalenceError
        from equivalence.session import Session

        config = self.config
        try:
            if config.getoption("equivalence_replay") is not None:
                self.replay = self._finding(config.getoption("equivalence_replay"))
            overrides = Overrides(
                examples=config.getoption("equivalence_examples"),
                budget=config.getoption("equivalence_budget"),
                shrink=config.getoption("equivalence_shrink"),
            )
            session = Session.open(config.rootpath, self._pyproject(), overrides, self.say)
        except EquivalenceError as error:
            raise pytest.UsageError(str(error)) from error
        from equivalence.report import data

        folder = self.folder()
        if folder is not None and self.replay is None and not self._is_worker:
            shutil.rmtree(folder / data.RUNS, ignore_errors=True)
        self.context["environments"] = {
            side: data.environment_data(environment) for side, environment in session.environments.items()
        }
        if self._distributes:
            session.close()
        else:
            self.session = session
        if not self._is_worker:
            from equivalence.plugin.reporter import Reporter

            config.pluginmanager.register(Reporter(self), "equivalence-reporter")

    @functools.cached_property
    def redactor(self) -> Redactor:
        """Takes the secrets of the configuration out of what is shown."""
        from equivalence.redaction import Redactor

        return Redactor(self.session.settings.secrets if self.session is not None else {})

    def _finding(self, finding_id: str) -> tuple[Any, Any]:
        """The pair and the finding to replay, from the last report."""
        from equivalence.report import data

        folder = self.folder() or self.config.rootpath / ".equivalence" / "report"
        return data.find(data.read(folder), finding_id)

    def _pyproject(self) -> Path | None:
        path = self.config.rootpath / "pyproject.toml"
        return path if path.is_file() else None

    def close(self) -> None:
        """End the workers."""
        if self.session is not None:
            self.session.close()
            self.session = None

    def folder(self) -> Path | None:
        """Where the report goes; None for nowhere."""
        given = self.config.getoption("equivalence_report")
        if given == "none":
            return None
        return Path(self.config.invocation_params.dir, given) if given else self.config.rootpath / ".equivalence/report"

    def say(self, text: str) -> None:
        """Tell what takes time before the tests begin."""
        if self.config.getoption("verbose") >= 0 and not self._is_worker:
            sys.stderr.write(f"equivalence: {text}\n")
            sys.stderr.flush()

    # ------------------------------------------------------------------------------------------ collection

    def arguments(self, config: pytest.Config) -> list[str]:
        """The arguments of the session, with flow files and folders replaced by the items of their pairs.

        ==============================================  ==================================
        no arguments, or those of ``testpaths``         the files of every pair
        ``flows_v2/orders.py``, ``flows_v1``            the pairs of the file or folder
        ``flows_v1/orders.py::flow``                    that pair
        another test's path                             as it is
        ``--equivalence-replay``                        the pair of the finding
        ==============================================  ==================================
        """
        from equivalence.errors import EquivalenceError

        assert self.session is not None
        try:
            self.items()
            if self.replay is not None:
                name = self.replay[0]["id"]
                broken = next((one for one in self.session.broken if one.name == name), None)
                return [self.node(broken or self.session.pair(name))]
        except EquivalenceError as error:
            raise pytest.UsageError(str(error)) from error
        if config.args_source is not pytest.Config.ArgsSource.ARGS:
            # Files, and not the pairs one by one: --lf leaves out whole files, and pytest would miss their pairs.
            everything = dict.fromkeys(str(self.home(pair)) for pair in self.items())
            return list(everything) or [str(self.session.settings.v1.flows)]
        arguments: list[str] = []
        for argument in config.args:
            found = self._selected(argument)
            arguments.extend([argument] if found is None else found)
        return list(dict.fromkeys(arguments))

    def items(self) -> list[Pair | Broken]:
        """Everything that is an item of the session."""
        assert self.session is not None
        return [*self.session.pairing.pairs, *self.session.broken]

    def _selected(self, argument: str) -> list[str] | None:
        """The items an argument stands for; None when it is no place of flows."""
        assert self.session is not None
        place, _, what = argument.partition("::")
        path = Path(self.config.invocation_params.dir, place).resolve()
        roots = [self.session.settings.v1.flows.resolve(), self.session.settings.v2.flows.resolve()]
        if not any(path == root or root in path.parents for root in roots):
            return None
        found = []
        for pair in self.items():
            for flow in flows_of(pair):
                file = self.place(flow)
                if (file == path or path in file.parents) and what in ("", flow.variable, flow.name, pair.name):
                    found.append(self.node(pair))
            for problem in getattr(pair, "problems", ()):
                file = self.place(problem)
                if (file == path or path in file.parents) and not what:
                    found.append(self.node(pair))
        if found:
            return found
        if not path.exists():
            return None
        if what:
            raise pytest.UsageError(f"{argument}: there is no pair with a flow {what!r} in {place}")
        return [str(path)]

    def place(self, flow: FlowInfo | FileProblem) -> Path:
        """Where a flow's file lies in the tree, also when its side is taken from a git revision."""
        return (self.config.rootpath / flow.path).resolve()

    def home(self, pair: Pair | Broken) -> Path:
        """The file under which a pair is collected: v1's, or v2's where the tree does not hold v1's any more."""
        known = [*flows_of(pair), *getattr(pair, "problems", ())]
        places = [self.place(one) for one in sorted(known, key=lambda one: one.side)]
        return next((place for place in places if place.is_file()), places[0])

    def node(self, pair: Pair | Broken) -> str:
        """The argument that makes pytest collect a pair."""
        return f"{self.home(pair)}::{self.name(pair)}"

    def name(self, pair: Pair | Broken) -> str:
        """The item's name: the flow's variable, the flow's name where it has none."""
        flows = [flow for flow in flows_of(pair) if self.place(flow) == self.home(pair)]
        own = flows[0] if flows else None
        return (own.variable or own.name) if own is not None else pair.name.rpartition("/")[2]

    def owns(self, path: Path) -> bool:
        """Whether a file is a flow file of either side."""
        assert self.session is not None
        path = path.resolve()
        return path.suffix == ".py" and any(
            side.flows.resolve() in path.parents for side in (self.session.settings.v1, self.session.settings.v2)
        )

    def here(self, path: Path) -> list[Pair | Broken]:
        """The pairs collected under a file, in the order of their names."""
        return [pair for pair in self.items() if self.home(pair) == path.resolve()]

    def describe_rest(self) -> dict[str, Any]:
        """What is known beside the pairs: flows without a counterpart, ambiguous ones, files of no pair."""
        from equivalence.report import data

        assert self.session is not None
        pairing = self.session.pairing
        return {
            "unpaired": [data.unpaired_data(entry) for entry in pairing.unpaired],
            "ambiguous": [data.ambiguity_data(entry) for entry in pairing.ambiguous],
        }


def flows_of(pair: Pair | Broken) -> list[FlowInfo]:
    """The flows of a pair, v1's first."""
    flows = getattr(pair, "flows", None)
    if flows is not None:
        return sorted(flows, key=lambda flow: flow.side)
    return [pair.v1, pair.v2]  # type: ignore[union-attr]
