"""What is told where the terminal is: the environments, one line per pair, and the report."""

from __future__ import annotations

import time
from typing import Any

import pytest

from equivalence.plugin.run import Run


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
            folder=run.folder(),
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


def _seed(config: pytest.Config) -> int | None:
    """The seed that ``--hypothesis-seed`` set, where it did."""
    seed = config.getoption("--hypothesis-seed", default=None)
    return int(seed) if isinstance(seed, (int, str)) and str(seed).lstrip("-").isdigit() else None
