"""The catalogue as text: one rule whole, or all of them in a list."""

from __future__ import annotations

import textwrap

from equivalence import catalogue
from equivalence.errors import UsageProblem
from equivalence.tables import nearest

WIDTH = 100


def explanation(wanted: str) -> str:
    """What a rule says, for a reader; ``all`` lists the rules by row. Raises UsageProblem for an unknown one."""
    if wanted == "all":
        return _listing()
    rule = catalogue.by_id(wanted)
    if rule is None:
        near = nearest(wanted, [rule.id for rule in catalogue.RULES])
        hint = f"did you mean {near!r}? " if near else ""
        raise UsageProblem(
            f"--equivalence-explain: there is no rule {wanted!r}; {hint}`--equivalence-explain=all` lists the rules"
        )
    return "\n".join(
        [
            f"{rule.id}: {rule.title}",
            f"row {rule.row} of the migration guide: {catalogue.ROWS[rule.row]}",
            "",
            *_paragraph("Cause", rule.cause),
            *_paragraph("Fix", rule.fix),
            *_paragraph("Read", rule.docs),
        ]
    )


def _paragraph(name: str, text: str) -> list[str]:
    return textwrap.wrap(f"{name}: {text}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _listing() -> str:
    width = max(len(rule.id) for rule in catalogue.RULES)
    lines = []
    for row, title in catalogue.ROWS.items():
        rules = [rule for rule in catalogue.RULES if rule.row == row]
        lines += [f"{row} {title}"] * bool(rules)
        lines += [f"  {rule.id:<{width}}  {rule.title}" for rule in rules]
    return "\n".join(lines)
