"""What a planted bug is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PlantedBug:
    """One edit of one portfolio file and the kind of finding it has to lead to.

    ``examples`` is the number of cases the search gets: few where the defaults show the bug. ``parameters`` is the
    largest acceptable number of parameters in the smallest case, ``smallest`` that case where only one is right.
    ``rule`` is the rule of the catalogue that has to explain it, None for a bug that is in no engine's nature.
    """

    name: str
    file: str
    old: str
    new: str
    kind: str
    task: str | None
    path_hint: str | None
    why: str
    examples: int = 2
    parameters: int = 0
    smallest: str | None = None
    rule: str | None = None
    row: str = ""
    pair: str = ""

    @property
    def stem(self) -> str:
        """The pair's files without suffix: those of the edited file, or given for one that is no flow file."""
        return self.pair or Path(self.file).stem

    @property
    def guide_row(self) -> str:
        """The row of the migration guide: given, or that of the pair (``g08_triggers`` is G08)."""
        found = re.match(r"g(\d\d)_", self.stem)
        return self.row or (f"G{found[1]}" if found else "")


def apply(bug: PlantedBug, source: str) -> str:
    """Return ``source`` with the bug planted; the place must exist exactly once."""
    count = source.count(bug.old)
    if count != 1:
        raise ValueError(f"planted bug {bug.name}: its text must be in {bug.file} once, found it {count} times")
    return source.replace(bug.old, bug.new)
