"""What a person sees: the block of a divergence, one line per pair, a line of progress."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from equivalence.report.data import ORDER, own_findings

if TYPE_CHECKING:
    import pytest

    from equivalence.compare.states import Difference
    from equivalence.compare.traces import Comparison
    from equivalence.summary import Given

BLOCK_LINES = 25
BLOCK_PATHS = 3
WIDTH = 100

COLOURS = {
    "equivalent": {"green": True},
    "divergent": {"red": True},
    "error": {"red": True},
    "accepted": {"yellow": True},
    "noisy": {"yellow": True},
    "vacuous": {"yellow": True},
}


class Progress:
    """One line that is written over while a pair runs; on a terminal only."""

    def __init__(self, config: pytest.Config, name: str) -> None:
        reporter = config.pluginmanager.getplugin("terminalreporter")
        writer = getattr(reporter, "_tw", None)
        file = getattr(writer, "_file", None)
        shows = file is not None and file.isatty() and config.getoption("verbose") >= 0
        self._file = file if shows else None
        self._name = name
        self._width = 0

    def __call__(self, text: str) -> None:
        """Show how far it is."""
        if self._file is not None:
            line = f"{self._name}: {text}"
            self._file.write(f"\r{line:<{self._width}}")
            self._file.flush()
            self._width = max(self._width, len(line))

    def clear(self) -> None:
        """Take the line away."""
        if self._file is not None and self._width:
            self._file.write(f"\r{' ' * self._width}\r{self._name} ")
            self._file.flush()


def failure_block(pair: Mapping[str, Any]) -> str:
    """A divergent pair in at most 25 lines: its main finding whole, the others by name.

    ::

        orders: 1 finding in 50 cases (v1 flows_v1/orders.py::flow, v2 flows_v2/orders.py::orders)

        retry-count at tasks.load.attempts
          given  limit=0
          v1     Success, load gave 3
          v2     Failed, ValueError('no rows') in load after 2 attempts
          first divergent task: load
          tasks.load.attempts: v1 3, v2 2
          One attempt more or fewer (retries-off-by-one). Cause…
          Fix: …

        Reproduce with: pytest --equivalence --equivalence-replay=orders-3f2a
    """
    own = own_findings(pair)
    main = own[0] if own else pair["findings"][0]
    count = len(own)
    lines = [
        f"{pair['id']}: {count} finding{'s' if count != 1 else ''} in {pair['cases']['run']} cases",
        "",
        *_finding_lines(main, pair),
    ]
    others = [finding for finding in own if finding is not main]
    if others:
        lines += ["", "Also:"]
        room = max(BLOCK_LINES - len(lines) - 3, 1)
        for finding in others[:room]:
            lines.append(_cut(f"  {_headline(finding)}: v1 {finding['v1']}, v2 {finding['v2']}  [{finding['id']}]"))
        if len(others) > room:
            lines.append(f"  and {len(others) - room} more, in the report")
    lines += ["", f"Reproduce with: {main['reproduce']}"]
    return "\n".join(lines)


def _headline(finding: Mapping[str, Any]) -> str:
    return f"{finding['kind']} at {finding['path']}"


def _finding_lines(finding: Mapping[str, Any], pair: Mapping[str, Any]) -> list[str]:
    shown = finding["lines"]
    lines = [_headline(finding)]
    if shown:
        lines += [
            _cut(f"  given  {shown['given']}{'' if finding['shrunk'] else '   (not shrunk to the end)'}"),
            _cut(f"  v1     {shown['v1']}"),
            _cut(f"  v2     {shown['v2']}"),
        ]
    if finding["first_task"] is not None:
        lines.append(f"  first divergent task: {finding['first_task']}")
    note = f" ({finding['note']})" if finding["note"] else ""
    lines.append(_cut(f"  {finding['path']}: v1 {finding['v1']}, v2 {finding['v2']}{note}"))
    also = finding["also"]
    if also:
        more = f" and {len(also) - BLOCK_PATHS} more" if len(also) > BLOCK_PATHS else ""
        lines.append(_cut(f"  with it differ: {', '.join(also[:BLOCK_PATHS])}{more}"))
    if finding["flow_run"]:
        lines.append(f"  v2 flow run: {finding['flow_run']}, kept for the Prefect UI")
    if not finding["confirmed"]:
        lines.append("  seen once; it did not show in every run of this case")
    if finding["cause"] is not None:
        lines += _wrapped(f"Likely cause ({finding['rule']}): {finding['cause']}")
        lines += _wrapped(f"Fix: {finding['fix']}")
    else:
        lines.append("  unexplained: no rule of the catalogue recognises it")
    return lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")


def _cut(line: str) -> str:
    return line if len(line) <= 200 else line[:199] + "…"


def vacuous_reason(pair: Mapping[str, Any]) -> str:
    """Why nothing was really compared."""
    cases = pair["cases"]
    if not cases["run"]:
        return "vacuous: no case ran"
    return f"vacuous: in {cases['run']} cases neither flow got as far as a task or a result"


def replay_success(finding: Mapping[str, Any], comparison: Comparison, given: Given) -> str:
    """FIXED, with what was looked at."""
    return "\n".join(
        [
            f"{finding['id']}: FIXED ({comparison.compared} places compared)",
            _cut(f"  given  {given.given}"),
            _cut(f"  v1     {given.v1}"),
            _cut(f"  v2     {given.v2}"),
        ]
    )


def replayed(reporter: pytest.TerminalReporter, answers: Sequence[str]) -> None:
    """The answer of a replay."""
    if answers:
        reporter.section("equivalence", sep="=")
    for answer in answers:
        fixed = answer.split(": ", 1)[1].startswith("FIXED")
        reporter.write_line(answer, green=fixed, red=not fixed)


def still_declared(finding: Mapping[str, Any]) -> str:
    """STILL DIFFERENT, of a difference that the two signatures show without a run."""
    return "\n".join(
        [f"{finding['id']}: STILL DIFFERENT", _cut(f"  {_headline(finding)}: v1 {finding['v1']}, v2 {finding['v2']}")]
    )


def replay_failure(finding: Mapping[str, Any], differences: Sequence[Difference], same: bool, given: Given) -> str:
    """STILL DIFFERENT, with what differs now."""
    lines = [
        f"{finding['id']}: STILL DIFFERENT" + ("" if same else ", in another way"),
        _cut(f"  given  {given.given}"),
        _cut(f"  v1     {given.v1}"),
        _cut(f"  v2     {given.v2}"),
    ]
    lines += [
        _cut(f"  {difference.kind} at {difference.path}: v1 {difference.v1}, v2 {difference.v2}")
        for difference in differences[:10]
    ]
    return "\n".join(lines)


def summary(
    reporter: pytest.TerminalReporter,
    report: Mapping[str, Any],
    written: str | None,
) -> None:
    """One line per pair, worst first; then what has no counterpart and where the report lies."""
    pairs = sorted(report["pairs"], key=lambda pair: (ORDER.index(pair["verdict"]), pair["id"]))
    if not (pairs or report["unpaired"] or report["ambiguous"]):
        return
    reporter.section("equivalence", sep="=")
    width = max((len(pair["id"]) for pair in pairs), default=0)
    for pair in pairs:
        reporter.write(f"{pair['id']:<{width}}  ")
        reporter.write(f"{pair['verdict']:<10}", **COLOURS[pair["verdict"]])
        reporter.write_line(f"  {pair_line(pair)}")
    for entry in report["unpaired"]:
        near = f"; nearest: {entry['nearest']}" if entry["nearest"] else ""
        reporter.write_line(f"no counterpart: {entry['side']} {entry['flow']}{near}", yellow=True)
    for entry in report["ambiguous"]:
        names = ", ".join([*entry["v1"], *entry["v2"]])
        reporter.write_line(f"ambiguous: {names}. Say which belong together:", yellow=True)
        reporter.write_line(textwrap.indent(entry["configuration"], "    "))
    if report["unexplained"]:
        found = sum(len(own_findings(pair)) for pair in pairs)
        reporter.write_line(f"{report['unexplained']} of {found} findings unexplained: no rule recognises them")
    if report["runs"]:
        reporter.write_line(f"runs that differ, in the Prefect 2 UI: {report['runs']}")
    if written is not None:
        reporter.write_line(f"report: {written}")


def pair_line(pair: Mapping[str, Any]) -> str:
    """``50 cases (41 completed, 9 failed alike), 5 of 5 tasks reached, 412 places compared``."""
    if pair["verdict"] == "error":
        return str(pair["error"]).splitlines()[-1][:120]
    cases, tasks = pair["cases"], pair["tasks"]
    parts = [f"{cases['completed']} completed"]
    if cases["failed"]:
        parts.append(f"{cases['failed']} failed alike")
    if cases["refused"]:
        parts.append(f"{cases['refused']} refused")
    line = f"{cases['run']} cases ({', '.join(parts)})"
    known = max(tasks["v1"], tasks["v2"])
    line += f", {tasks['reached']} of {known} tasks reached, {pair['compared']} places compared"
    own = own_findings(pair)
    if own:
        line += "; " + ", ".join(sorted({finding["kind"] for finding in own}))
    said = [
        (len(pair["opaque"]), "opaque"),
        (sum(pair["ignored"].values()), "ignored"),
        (len(pair["noise"]), "noisy"),
    ]
    line += "".join(f", {count} {word}" for count, word in said if count)
    if pair["uncompared"]:
        line += f"; not compared: {pair['uncompared'][0]}"
    return line
