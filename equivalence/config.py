"""`[tool.equivalence]` of a pyproject.toml → frozen settings, checked whole: one error lists every mistake.

How one value is judged:

| what is found                                    | outcome                                             |
| ------------------------------------------------ | --------------------------------------------------- |
| no `[tool.equivalence]`, or no file              | the defaults                                        |
| a key that the table does not have               | mistake: nearest key, tables that have it, allowed  |
| a key of the wrong type, range or value          | mistake: what is expected and given, nearest value  |
| `interpreter` with `python`, `requirements`, …   | mistake: an interpreter is used unchanged           |
| a flows or python-path folder that is not there  | mistake, unless the side has a `revision`           |
| an option of the command line                    | wins over the file, for every pair                  |

Paths are relative to the folder of the pyproject.toml, which is the settings' root.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, cast

from equivalence import tables
from equivalence.errors import UsageProblem
from equivalence.tables import Table, Wrong, listed, nearest, quoted, shown, table_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SideName = Literal["v1", "v2"]
Strictness = Literal["outcome", "kind", "exact"]

COMPARED = ("state", "result", "exception", "tasks", "retries")
COMPARABLE = (*COMPARED, "order", "logs", "effects")
STRICTNESS = ("outcome", "kind", "exact")


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line says; None where it says nothing. Seconds."""

    examples: int | None = None
    budget: float | None = None
    shrink: float | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """Where the flows of one side are and what they run in. Paths are absolute."""

    name: SideName
    flows: Path
    revision: str | None = None
    python_path: tuple[Path, ...] = ()
    python: str | None = None
    requirements: tuple[str, ...] | Path | None = None
    interpreter: Path | None = None
    exclude_newer: str | None = None


@dataclass(frozen=True, slots=True)
class PairSettings:
    """What is said about one pair; None in examples, patience, budget, compare and states means as for all pairs.

    `unordered` maps a path to the key its rows are matched by, None for rows without a key.
    """

    name: str
    v1: str | None = None
    v2: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    fixed_v1: Mapping[str, object] = field(default_factory=dict)
    fixed_v2: Mapping[str, object] = field(default_factory=dict)
    tasks: Mapping[str, str] = field(default_factory=dict)
    output_v1: str | None = None
    output_v2: str | None = None
    examples: int | None = None
    patience: int | None = None
    budget: float | None = None
    compare: tuple[str, ...] | None = None
    states: Strictness | None = None
    ignore: tuple[str, ...] = ()
    tolerance: Mapping[str, float] = field(default_factory=dict)
    unordered: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that was configured, defaults filled in. Seconds; `variables` are the environment's.

    `patience` is the number of draws in a row without anything new after which no more are made: None a quarter of the
    examples, 0 for never.
    """

    root: Path
    v1: Side
    v2: Side
    examples: int = 50
    patience: int | None = None
    budget: float = 60.0
    shrink: float = 30.0
    run_timeout: float = 60.0
    load_timeout: float = 60.0
    compare: tuple[str, ...] = COMPARED
    states: Strictness = "kind"
    pairs: Mapping[str, PairSettings] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, object] = field(default_factory=dict)

    def for_pair(self, name: str) -> PairSettings:
        """The settings of the pair of this name, what it leaves open filled in from the settings of all."""
        pair = self.pairs.get(name) or PairSettings(name)
        return replace(
            pair,
            examples=self.examples if pair.examples is None else pair.examples,
            patience=self.patience if pair.patience is None else pair.patience,
            budget=self.budget if pair.budget is None else pair.budget,
            compare=self.compare if pair.compare is None else pair.compare,
            states=self.states if pair.states is None else pair.states,
        )


def load_settings(root: Path, pyproject: Path | None, overrides: Overrides) -> Settings:
    """The settings in `pyproject` (None: the defaults below `root`); a UsageProblem lists every mistake."""
    base = Path(os.path.abspath(root if pyproject is None else pyproject.parent))
    mistakes: list[str] = []
    _check_options(overrides)
    top = Table((), {} if pyproject is None else _tool_table(pyproject, mistakes), mistakes)
    top.known(tables.TOP_KEYS, tables.TOP_TABLES)
    settings = Settings(
        root=base,
        v1=_side("v1", top, base),
        v2=_side("v2", top, base),
        examples=top.get("examples", tables.count, 50),
        patience=top.get("patience", tables.count_or_zero, None),
        budget=top.get("budget", tables.seconds, 60.0),
        shrink=top.get("shrink", tables.seconds_or_zero, 30.0),
        run_timeout=top.get("run-timeout", tables.seconds, 60.0),
        load_timeout=top.get("load-timeout", tables.seconds, 60.0),
        compare=top.get("compare", _compare, COMPARED),
        states=top.get("states", _states, "kind"),
        variables=_variables(top),
        secrets=_secrets(top),
        pairs=_pairs(top),
    )
    if mistakes:
        raise UsageProblem(listed(pyproject.name if pyproject else str(base), mistakes))
    return _overridden(settings, overrides)


def _tool_table(pyproject: Path, mistakes: list[str]) -> Mapping[str, object]:
    try:
        document = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageProblem(f"{pyproject.name}: not valid TOML: {error}. File: {pyproject}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{pyproject.name}: cannot be read: {error}. File: {pyproject}") from error
    if "equivalence" in document:
        mistakes.append("[equivalence] is read by nobody here; did you mean [tool.equivalence]?")
    tools = document.get("tool", {})
    tools = tools if isinstance(tools, dict) else {}
    if "equivalence" not in tools:
        for like in difflib.get_close_matches("equivalence", tools, 1, 0.9):
            mistakes.append(f"[tool.{like}] is read by nobody here; did you mean [tool.equivalence]?")
    found = tools.get("equivalence", {})
    if not isinstance(found, dict):
        mistakes.append(f"[tool] `equivalence`: expected a table, got {shown(found)}")
        return {}
    return found


def _check_options(given: Overrides) -> None:
    checks: tuple[tuple[str, object, Callable[[object], object]], ...] = (
        ("examples", given.examples, tables.count),
        ("budget", given.budget, tables.seconds),
        ("shrink", given.shrink, tables.seconds_or_zero),
    )
    mistakes: list[str] = []
    for name, value, check in checks:
        try:
            if value is not None:
                check(value)
        except Wrong as wrong:
            mistakes.append(f"--equivalence-{name}: {wrong}, got {shown(value)}")
    if mistakes:
        raise UsageProblem(listed("command line", mistakes, "the options of equivalence"))


def _overridden(settings: Settings, options: Overrides) -> Settings:
    """The command line wins over the file, over what the file says of one pair as well."""
    examples, budget, shrink = options.examples, options.budget, options.shrink
    return replace(
        settings,
        examples=settings.examples if examples is None else examples,
        budget=settings.budget if budget is None else budget,
        shrink=settings.shrink if shrink is None else shrink,
        pairs={
            name: replace(
                pair,
                examples=pair.examples if examples is None else None,
                budget=pair.budget if budget is None else None,
            )
            for name, pair in settings.pairs.items()
        },
    )


def _side(name: SideName, top: Table, base: Path) -> Side:
    table = top.table(name)
    table.known(tables.SIDE_KEYS)
    useless = [key for key in tables.UNCHANGED if key in table.data]
    if useless and "interpreter" in table.data:
        names = " and ".join(f"`{key}`" for key in useless)
        table.note(
            f"`interpreter` together with {names}: an interpreter that exists is used unchanged, nothing "
            f"is built or installed. Keep `interpreter` alone, or leave it out to have a virtualenv built"
        )
    revision = table.get("revision", tables.word, None)
    flows = _below(base, table.get("flows", tables.word, f"flows_{name}"))
    entries: tuple[str, ...] = table.get("python-path", tables.words, ())
    paths = tuple(_below(base, entry) for entry in entries)
    # The folders of a revision are in its own tree, which is laid out later.
    if revision is None:
        if not flows.is_dir():
            table.note(missing_folder("flows", flows, base))
        for path in paths:
            if not path.exists():
                table.note(missing_folder("python-path", path, base))
    python = table.get("python", tables.python, None)
    return Side(
        name=name,
        flows=flows,
        revision=revision,
        python_path=paths,
        # A version stays as written; what holds a separator is a path.
        python=str(_below(base, python)) if python and re.search(r"[/\\~]", python) else python,
        requirements=table.get("requirements", lambda value: _requirements(value, base), None),
        interpreter=table.get("interpreter", lambda value: _below(base, tables.word(value)), None),
        exclude_newer=table.get("exclude-newer", tables.moment, None),
    )


def missing_folder(key: str, folder: Path, base: Path) -> str:
    """What is said of a folder that is not there: where it was looked for, and the nearest that is."""
    if folder.exists():
        return f"`{key}`: {quoted(shown_path(folder, base))} is a file, not a folder"
    parent = folder.parent
    there = [entry.name for entry in parent.iterdir() if entry.is_dir()] if parent.is_dir() else []
    like = nearest(folder.name, there)
    text = f"`{key}`: there is no folder {quoted(shown_path(folder, base))} below {base}"
    hint = f"; did you mean {quoted(shown_path(parent / like, base))}?" if like else "; make it, or name another"
    return text + hint


def shown_path(path: Path, base: Path) -> str:
    """A path as a user writes it: relative to the root where it is below it, with slashes."""
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)


def _variables(top: Table) -> Mapping[str, str]:
    environment = top.table("environment")
    environment.known(tables.ENVIRONMENT_KEYS)
    table = environment.table("variables")
    found: dict[str, str] = {}
    for name in table.data:
        if not name or "=" in name or "\0" in name:
            table.note(f"{quoted(name)}: no name of a variable: it is empty, or holds `=` or NUL")
        found[name] = table.get(name, tables.text, "")
    return found


def _secrets(top: Table) -> Mapping[str, object]:
    """Texts, or tables and arrays of them: what Prefect 1 reads as JSON."""
    table = top.table("environment").table("secrets")
    for name, value in table.data.items():
        if not isinstance(value, str | dict | list | int | float | bool):
            table.note(f"{quoted(name)}: expected a text, or a table, array, number or boolean, got {shown(value)}")
    return dict(table.data)


def _pairs(top: Table) -> Mapping[str, PairSettings]:
    named = top.table("pairs")
    pairs = {name: _pair(name, named.table(name)) for name in named.data}
    seen: dict[tuple[object, ...], str] = {}
    for name, pair in pairs.items():
        if not (pair.v1 and pair.v2):
            continue
        # A flow may be in several pairs (with other parameters held, say), but not twice in the same one.
        what = (pair.v1, pair.v2, *(repr(sorted(fixed.items())) for fixed in (pair.fixed_v1, pair.fixed_v2)))
        if what in seen:
            first = table_name("pairs", seen[what])
            named.table(name).note(f"has the v1, v2 and fixed of {first}: the same pair twice. Remove one")
        seen.setdefault(what, name)
    return pairs


def _pair(name: str, table: Table) -> PairSettings:
    table.known(tables.PAIR_KEYS)
    fixed, output = table.table("fixed"), table.table("output")
    fixed.known(("v1", "v2"))
    output.known(("v1", "v2"))
    pair = PairSettings(
        name=name,
        v1=table.get("v1", tables.selector, None),
        v2=table.get("v2", tables.selector, None),
        parameters=tables.entries(table.table("parameters"), tables.word),
        fixed_v1=dict(fixed.table("v1").data),
        fixed_v2=dict(fixed.table("v2").data),
        tasks=tables.entries(table.table("tasks"), tables.word),
        output_v1=output.get("v1", tables.output, None),
        output_v2=output.get("v2", tables.output, None),
        examples=table.get("examples", tables.count, None),
        patience=table.get("patience", tables.count_or_zero, None),
        budget=table.get("budget", tables.seconds, None),
        compare=table.get("compare", _compare, None),
        states=table.get("states", _states, None),
        ignore=table.get("ignore", tables.words, ()),
        tolerance=tables.entries(table.table("tolerance"), tables.tolerance),
        unordered=tables.entries(table.table("unordered"), tables.row_key),
    )
    targets = list(pair.parameters.values())
    for target in sorted({one for one in targets if targets.count(one) > 1}):
        table.note(f"`parameters`: several v1 parameters become {quoted(target)}; a v2 parameter takes one")
    for side, mapped, held in (("v1", pair.parameters, pair.fixed_v1), ("v2", targets, pair.fixed_v2)):
        for parameter in sorted(set(mapped) & set(held)):
            table.note(f"{quoted(parameter)} is in `parameters` and `fixed.{side}`: drawn, or held? Remove one")
    return pair


def _states(value: object) -> Strictness:
    return cast(Strictness, tables.choice(value, STRICTNESS, "one of"))


def _compare(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise Wrong(f"expected a list with one or more of {', '.join(map(quoted, COMPARABLE))}")
    given = {tables.choice(entry, COMPARABLE, "only") for entry in value}
    return tuple(word for word in COMPARABLE if word in given)


def _requirements(value: object, base: Path) -> tuple[str, ...] | Path:
    if isinstance(value, list) and value:
        return tables.words(value)
    if not tables.is_word(value):
        raise Wrong("expected a list of requirements or the path of a requirements file")
    path = _below(base, value)
    if not path.is_file():
        raise Wrong(
            f"expected a list of requirements or the path of a requirements file; there is no file {path}. "
            f"One requirement is a list as well: [{quoted(value)}]",
            given=False,
        )
    return path


def _below(base: Path, given: str) -> Path:
    """An absolute path; links stay links, since a virtualenv's `bin/python` is one."""
    return Path(os.path.normpath(base / os.path.expanduser(given)))
