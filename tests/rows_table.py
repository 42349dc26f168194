"""Writes ``docs/rows.md``: the rows of the migration guide with what shows, proves and explains each.

``python -m tests.rows_table``; a test fails where the file is not what this makes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from equivalence import catalogue
from tests.planted import PLANTED, PlantedBug

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs/rows.md"

HEAD = """\
# The rows of the migration guide

Made by `python -m tests.rows_table` from the portfolio, `tests/planted/` and the catalogue; do not edit.

* **shown**: pairs in `flows_v1/` and `flows_v2/`, all equivalent (`python3 dev.py portfolio`).
* **proved**: planted bugs, each an edit of one of these files; the tests demand that every one is found
  (`tests/engines/test_planted_bugs.py`), with the kind and the rule given here.
* **explained**: rules of the catalogue; `pytest --equivalence --equivalence-explain=RULE` prints one.

| row | | shown | proved | explained |
| --- | --- | --- | --- | --- |
"""


def pairs_of(row: str) -> list[str]:
    """The portfolio files of a row, without suffix."""
    return sorted(path.stem for path in (ROOT / "flows_v1").glob(f"{row.lower()}_*.py"))


def whole_flows() -> list[str]:
    """The portfolio files that mix many rows."""
    return sorted(path.stem for path in (ROOT / "flows_v1").glob("whole_*.py"))


def text() -> str:
    """The whole page."""
    lines = []
    for row, title in catalogue.ROWS.items():
        bugs = [bug for bug in PLANTED if bug.guide_row == row]
        rules = [rule.id for rule in catalogue.RULES if rule.row == row]
        lines.append(f"| {row} | {title} | {_code(pairs_of(row))} | {len(bugs)}: {_bugs(bugs)} | {_code(rules)} |")
    explained = sum(bug.rule is not None for bug in PLANTED)
    rows = sum(bool(bug.guide_row) for bug in PLANTED)
    tail = f"""
Whole flows that mix a dozen rows: {_code(whole_flows())}.

{len(PLANTED)} planted bugs, {rows} of them in a row of their own, {explained} explained by a rule.
{len(catalogue.RULES)} rules.

## Planted bugs

| bug | in | what people do | found as | explained by |
| --- | --- | --- | --- | --- |
"""
    return HEAD + "\n".join(lines) + "\n" + tail + "\n".join(map(_bug_line, PLANTED)) + "\n"


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "-"


def _bugs(bugs: list[PlantedBug]) -> str:
    return ", ".join(bug.name for bug in bugs) or "-"


def _bug_line(bug: PlantedBug) -> str:
    what = re.split(r"\s+Revealed by", bug.why)[0].replace("|", "\\|").strip()
    rule = f"`{bug.rule}`" if bug.rule else "unexplained"
    return f"| {bug.name} | `{bug.file.rpartition('.')[0]}` | {what} | {bug.kind} | {rule} |"


if __name__ == "__main__":
    TABLE.write_text(text(), encoding="utf-8")
