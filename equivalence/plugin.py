"""pytest's face of the package: options, collection, one item per pair, terminal summary, report.

Nothing heavy is imported before ``--equivalence`` is given: a project that has the plugin installed pays nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from equivalence.flows import FileProblem, FlowInfo
    from equivalence.pairing import Broken, Pair
    from equivalence.session import Session

RUN = pytest.StashKey["Run"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options begin with ``--equivalence``; each but the first does something only together with it."""
    group = parser.getgroup("equivalence", "Prefect 1 and Prefect 2 flows behave the same")
    group.addoption(
        "--equivalence",
        action="store_true",
        help="Collect and run the pairs of flows; without path arguments the pairs alone",
    )
    group.addoption(
        "--equivalence-report",
        metavar="DIR",
        default=None,
        help="Folder for report.json; default .equivalence/report; 'none' for none",
    )
    group.addoption("--equivalence-examples", metavar="N", type=_whole, default=None, help="At most N cases for a pair")
    group.addoption(
        "--equivalence-budget",
        metavar="SECONDS",
        type=_number,
        default=None,
        help="At most so long for a pair, shrinking apart",
    )
    group.addoption(
        "--equivalence-shrink",
        metavar="SECONDS",
        type=_number,
        default=None,
        help="At most so long for shrinking the findings of a pair; 0 reports the first case as it was drawn",
    )
    group.addoption(
        "--equivalence-replay",
        metavar="ID",
        default=None,
        help="Run one finding of the last report again and say FIXED, STILL DIFFERENT or ERROR",
    )


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number of seconds, got {text!r}") from None


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """The hooks that a conftest.py may answer."""
    from equivalence import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the settings and start the workers as early as possible: Prefect takes seconds to import."""
    on = config.getoption("equivalence")
    given = [
        f"--equivalence-{name}"
        for name in ("report", "examples", "budget", "shrink", "replay")
        if config.getoption(f"equivalence_{name}") is not None
    ]
    if not on:
        if given:
            raise pytest.UsageError(f"{given[0]} does nothing without --equivalence")
        return
    run = Run(config)
    config.stash[RUN] = run
    run.open()


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the workers, whatever happened."""
    run = config.stash.get(RUN, None)
    if run is not None:
        run.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Load and pair the flows, and turn the arguments into the files of the pairs."""
    run = session.config.stash.get(RUN, None)
    if run is not None and run.session is not None:
        session.config.args = run.arguments(session.config)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Generator[None, list[Any], list[Any]]:
    """A flow file is collected as its pairs. No other plugin may: importing it here would run it on the host."""
    collectors = yield
    run = parent.config.stash.get(RUN, None)
    if run is None or run.session is None or not run.owns(file_path):
        return collectors
    return [FlowFile.from_parent(parent, path=file_path)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Send what was found along with the test's report, which also travels from xdist's workers."""
    report = yield
    if isinstance(item, PairItem):
        if item.data is not None and call.when == item.when:
            report.equivalence = item.data  # type: ignore[attr-defined]
        if call.excinfo is not None and isinstance(call.excinfo.value, (Divergent, Unusable)):
            report.longrepr = str(call.excinfo.value)  # pytest asks the item only about its call, not its setup
        run = item.config.stash[RUN]
        if run.replay is not None and call.when == item.when:
            report.equivalence_replay = item.answer or f"{run.replay[1]['id']}: ERROR"  # type: ignore[attr-defined]
    return report


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

        self.context["environments"] = {
            side: data.environment_data(environment) for side, environment in session.environments.items()
        }
        if self._distributes:
            session.close()
        else:
            self.session = session
        if not self._is_worker:
            config.pluginmanager.register(Reporter(self), "equivalence-reporter")

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
            for flow in _flows(pair):
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
        known = [*_flows(pair), *getattr(pair, "problems", ())]
        places = [self.place(one) for one in sorted(known, key=lambda one: one.side)]
        return next((place for place in places if place.is_file()), places[0])

    def node(self, pair: Pair | Broken) -> str:
        """The argument that makes pytest collect a pair."""
        return f"{self.home(pair)}::{self.name(pair)}"

    def name(self, pair: Pair | Broken) -> str:
        """The item's name: the flow's variable, the flow's name where it has none."""
        flows = [flow for flow in _flows(pair) if self.place(flow) == self.home(pair)]
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


def _flows(pair: Pair | Broken) -> list[FlowInfo]:
    """The flows of a pair, v1's first."""
    flows = getattr(pair, "flows", None)
    if flows is not None:
        return sorted(flows, key=lambda flow: flow.side)
    return [pair.v1, pair.v2]  # type: ignore[union-attr]


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
            self.data = data.broken_data(self.pair)  # type: ignore[arg-type]
            raise Unusable(self.pair.message)  # type: ignore[union-attr]

    def runtest(self) -> None:
        """Check the pair, or replay one finding of it."""
        from equivalence.errors import EquivalenceError, UsageProblem
        from equivalence.report import data, terminal

        run = self.config.stash[RUN]
        assert run.session is not None
        progress = terminal.Progress(self.config, self.nodeid)
        pair: Pair = self.pair  # type: ignore[assignment]
        try:
            check = run.session.check(pair, self._hooks(), progress)
            if run.replay is not None:
                self._replay(check, run.replay[1])
                return
            result = check.run()
        except UsageProblem as error:
            pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
        except EquivalenceError as error:
            self.data = data.error_data(pair.name, pair.v1.selector, pair.v2.selector, str(error))
            raise Unusable(str(error)) from error
        finally:
            progress.clear()
        self.data = data.pair_data(result)
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
                raise Divergent(terminal.still_declared(data.finding_data(still)))
            return
        case = check.case(data.parameters_of(finding["case"]), finding["case"]["seed"])
        comparison, given = check.replay(case)
        differences = identities(comparison)
        if differences:
            self.answer = f"{finding['id']}: STILL DIFFERENT"
            same = any(identity.kind == finding["kind"] for identity in differences)
            raise Divergent(terminal.replay_failure(finding, list(differences.values()), same, given))
        self.answer = terminal.replay_success(finding, comparison, given)

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
        flows = _flows(self.pair)
        line = next((flow.line for flow in flows if flow.line), None)
        return self.path, None if line is None else line - 1, self.pair.name


class Divergent(Exception):
    """The two flows of a pair behave differently; the text is the block that the terminal shows."""


class Unusable(Exception):
    """A pair could not be checked; the text says why."""


class Reporter:
    """Registered where the terminal is: gathers the pairs, writes the report, prints the summary."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def pytest_report_header(self) -> list[str]:
        """Which Prefects and Pythons are compared."""
        return [
            f"equivalence: {side} Prefect {data['prefect']} on Python {data['python']}"
            for side, data in self._run.context["environments"].items()
        ]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Keep what is known beside the pairs."""
        if self._run.session is not None:
            self._run.context.update(self._run.describe_rest())

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Under xdist every worker knows the same; the first one's is taken."""
        rest = getattr(node, "workeroutput", {}).get("equivalence")
        if rest is not None:
            self._run.context.update(rest)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather the pairs, or what a replay saw."""
        data = getattr(report, "equivalence", None)
        if data is not None:
            self._run.data.append(data)
        self._run.answers.extend(filter(None, [getattr(report, "equivalence_replay", None)]))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One line per pair, what has no counterpart, and where the report is."""
        from equivalence.report import data, terminal

        run = self._run
        if run.config.getoption("collectonly"):
            return
        if run.replay is not None:
            terminal.replayed(terminalreporter, run.answers)
            return
        report = data.report_data(
            run.data,
            environments=run.context["environments"],
            unpaired=run.context["unpaired"],
            ambiguous=run.context["ambiguous"],
            started=run.started,
            seconds=time.time() - run.started,
            seed=_seed(run.config),
        )
        written: str | None = None
        folder = run.folder()
        if folder is not None:
            try:
                path = data.write(report, folder)
                written = str(path.relative_to(run.config.invocation_params.dir))
            except ValueError:
                written = str(path)
            except OSError as error:
                written = f"not written: {error}"
        terminal.summary(terminalreporter, report, written)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """On an xdist worker: send what is known beside the pairs to the controller."""
    run = session.config.stash.get(RUN, None)
    output = getattr(session.config, "workeroutput", None)
    if run is not None and output is not None and run.session is not None:
        output["equivalence"] = run.describe_rest()


def _seed(config: pytest.Config) -> int | None:
    """The seed that ``--hypothesis-seed`` set, where it did."""
    seed = config.getoption("--hypothesis-seed", default=None)
    return int(seed) if isinstance(seed, (int, str)) and str(seed).lstrip("-").isdigit() else None
