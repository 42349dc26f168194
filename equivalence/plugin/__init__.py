"""pytest's face of the package: options, collection, one item per pair, terminal summary, report.

Nothing heavy is imported before ``--equivalence`` is given: a project that has the plugin installed pays nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from equivalence.plugin.items import Divergent, FlowFile, PairItem, Unusable
from equivalence.plugin.run import RUN, Run


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
    group.addoption(
        "--equivalence-explain",
        metavar="RULE",
        default=None,
        help="Print what a rule of the catalogue says: what changed, its cause, its fix; 'all' lists the rules",
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


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Answer ``--equivalence-explain``, for which nothing is collected, built or started."""
    wanted = config.getoption("equivalence_explain")
    if wanted is None or not config.getoption("equivalence"):
        return None
    from equivalence.errors import UsageProblem
    from equivalence.report import rules

    try:
        print(rules.explanation(wanted))
    except UsageProblem as error:
        raise pytest.UsageError(str(error)) from error
    return int(pytest.ExitCode.OK)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the settings and start the workers as early as possible: Prefect takes seconds to import."""
    on = config.getoption("equivalence")
    given = [
        f"--equivalence-{name}"
        for name in ("report", "examples", "budget", "shrink", "replay", "explain")
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


def pytest_sessionfinish(session: pytest.Session) -> None:
    """On an xdist worker: send what is known beside the pairs to the controller."""
    run = session.config.stash.get(RUN, None)
    output = getattr(session.config, "workeroutput", None)
    if run is not None and output is not None and run.session is not None:
        output["equivalence"] = run.describe_rest()
