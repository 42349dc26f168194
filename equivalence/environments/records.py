"""What an environment is asked for by, and what it is once ready: two frozen records, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SideName = Literal["v1", "v2"]

#: Which Prefect belongs to a side, as its users say it.
PREFECT_OF: Mapping[str, Literal["1", "2"]] = {"v1": "1", "v2": "2"}


@dataclass(frozen=True, slots=True)
class SideRequest:
    """The part of a side's settings that decides its environment."""

    name: SideName
    python: str | None = None
    requirements: tuple[str, ...] | Path | None = None
    interpreter: Path | None = None
    exclude_newer: str | None = None

    @property
    def table(self) -> str:
        """The table of pyproject.toml that a user edits to change this."""
        return f"[tool.equivalence.{self.name}]"


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtualenv ready to run one side; `root` is None when the interpreter is the user's own."""

    python: Path
    root: Path | None
    hash: str
    python_version: str
    prefect_version: str | None
    packages: Mapping[str, str]
    home_template: Path | None = None
