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
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Literal, TypeGuard, TypeVar, cast

from equivalence.errors import UsageProblem

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SideName = Literal["v1", "v2"]
Strictness = Literal["outcome", "kind", "exact"]
T = TypeVar("T")

COMPARABLE = ("state", "result", "exception", "tasks", "retries")
STRICTNESS = ("outcome", "kind", "exact")
TOP_KEYS = ("examples", "budget", "shrink", "compare", "states", "run-timeout", "load-timeout")
TOP_TABLES = ("v1", "v2", "environment", "pairs")
UNCHANGED = ("python", "requirements", "exclude-newer")
SIDE_KEYS = ("flows", "revision", "python-path", "interpreter", *UNCHANGED)
ENVIRONMENT_KEYS = ("variables",)
PAIR_KEYS = (
    *("v1", "v2", "parameters", "fixed", "tasks", "output", "examples", "budget", "compare", "states"),
    *("ignore", "tolerance", "unordered"),
)


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
    """What is said about one pair; None in examples, budget, compare and states means as for all pairs.

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
    budget: float | None = None
    compare: tuple[str, ...] | None = None
    states: Strictness | None = None
    ignore: tuple[str, ...] = ()
    tolerance: Mapping[str, float] = field(default_factory=dict)
    unordered: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that was configured, defaults filled in. Seconds; `variables` are the environment's."""

    root: Path
    v1: Side
    v2: Side
    examples: int = 50
    budget: float = 60.0
    shrink: float = 30.0
    run_timeout: float = 60.0
    load_timeout: float = 60.0
    compare: tuple[str, ...] = COMPARABLE
    states: Strictness = "kind"
    pairs: Mapping[str, PairSettings] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    def for_pair(self, name: str) -> PairSettings:
        """The settings of the pair of this name, what it leaves open filled in from the settings of all."""
        pair = self.pairs.get(name) or PairSettings(name)
        return replace(
            pair,
            examples=self.examples if pair.examples is None else pair.examples,
            budget=self.budget if pair.budget is None else pair.budget,
            compare=self.compare if pair.compare is None else pair.compare,
            states=self.states if pair.states is None else pair.states,
        )


def load_settings(root: Path, pyproject: Path | None, overrides: Overrides) -> Settings:
    """The settings in `pyproject` (None: the defaults below `root`); a UsageProblem lists every mistake."""
    base = Path(os.path.abspath(root if pyproject is None else pyproject.parent))
    mistakes: list[str] = []
    _check_options(overrides)
    top = _Table((), {} if pyproject is None else _tool_table(pyproject, mistakes), mistakes)
    top.known(TOP_KEYS, TOP_TABLES)
    settings = Settings(
        root=base,
        v1=_side("v1", top, base),
        v2=_side("v2", top, base),
        examples=top.get("examples", _count, 50),
        budget=top.get("budget", _seconds, 60.0),
        shrink=top.get("shrink", _seconds_or_zero, 30.0),
        run_timeout=top.get("run-timeout", _seconds, 60.0),
        load_timeout=top.get("load-timeout", _seconds, 60.0),
        compare=top.get("compare", _compare, COMPARABLE),
        states=top.get("states", _states, "kind"),
        variables=_variables(top),
        pairs=_pairs(top),
    )
    if mistakes:
        raise UsageProblem(listed(pyproject.name if pyproject else str(base), mistakes))
    return _overridden(settings, overrides)


def listed(source: str, mistakes: Sequence[str], where: str = "[tool.equivalence]") -> str:
    """The one message that holds every mistake found in `source`."""
    count = "1 problem" if len(mistakes) == 1 else f"{len(mistakes)} problems"
    return "\n".join([f"{source}: {count} in {where}", *(f"  {mistake}" for mistake in mistakes)])


def table_name(*parts: str) -> str:
    """`[tool.equivalence.pairs."finance/orders"]`: the header as it is written in TOML."""
    written = (part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else quoted(part) for part in parts)
    return f"[{'.'.join(('tool', 'equivalence', *written))}]"


def quoted(text: str) -> str:
    """A TOML basic string: its escapes are those of JSON, and DEL besides."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like this one, case apart; None where nothing is like it."""
    by_case = {one.casefold(): one for one in sorted(known, reverse=True)}
    close = difflib.get_close_matches(word.casefold(), by_case, 1, 0.6)
    return by_case[close[0]] if close else None


class _Wrong(Exception):
    """What is expected in place of a value; the table adds where, and what was given unless told not to."""

    def __init__(self, expected: str, *, given: bool = True) -> None:
        super().__init__(expected)
        self.given = given


class _Table:
    """One table of the file: checks its keys, reads its values, and notes each mistake with its place."""

    def __init__(self, parts: tuple[str, ...], data: Mapping[str, object], mistakes: list[str]) -> None:
        self.parts, self.data, self.mistakes = parts, data, mistakes

    def note(self, text: str) -> None:
        self.mistakes.append(f"{table_name(*self.parts)} {text}")

    def known(self, keys: Sequence[str], tables: Sequence[str] = ()) -> None:
        """Note every key that this table does not have."""
        for key, value in self.data.items():
            if key in keys or key in tables:
                continue
            like = nearest(key, (*keys, *tables))
            text = f"unknown {'table' if isinstance(value, dict) else 'key'} `{key}`"
            text += f"; did you mean `{like}`?" if like else "."
            homes = _homes(key, keys)
            text += f" `{key}` belongs to {homes}." if homes else ""
            self.note(f"{text} Allowed: {', '.join(sorted((*keys, *tables)))}")

    def get(self, key: str, check: Callable[[object], T], default: T) -> T:
        """The checked value of a key; the default where it is absent, or wrong (which is noted)."""
        if key not in self.data:
            return default
        try:
            return check(self.data[key])
        except _Wrong as wrong:
            given = f", got {_shown(self.data[key])}" if wrong.given else ""
            self.note(f"`{key}`: {wrong}{given}")
            return default

    def table(self, key: str) -> _Table:
        """The table below this key, empty where it is absent or not a table (which is noted)."""
        return _Table((*self.parts, key), self.get(key, _any_table, {}), self.mistakes)


def _homes(key: str, here: Sequence[str]) -> str:
    """The tables that do have this key."""
    homes: list[str] = []
    for keys, tables in (
        (TOP_KEYS, [table_name()]),
        (SIDE_KEYS, [table_name("v1"), table_name("v2")]),
        (ENVIRONMENT_KEYS, [table_name("environment")]),
        (PAIR_KEYS, ["[tool.equivalence.pairs.NAME]"]),
    ):
        if keys is not here and key in keys:
            homes += tables
    return " and ".join(homes)


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
        mistakes.append(f"[tool] `equivalence`: expected a table, got {_shown(found)}")
        return {}
    return found


def _check_options(given: Overrides) -> None:
    checks: tuple[tuple[str, object, Callable[[object], object]], ...] = (
        ("examples", given.examples, _count),
        ("budget", given.budget, _seconds),
        ("shrink", given.shrink, _seconds_or_zero),
    )
    mistakes: list[str] = []
    for name, value, check in checks:
        try:
            if value is not None:
                check(value)
        except _Wrong as wrong:
            mistakes.append(f"--equivalence-{name}: {wrong}, got {_shown(value)}")
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


def _side(name: SideName, top: _Table, base: Path) -> Side:
    table = top.table(name)
    table.known(SIDE_KEYS)
    useless = [key for key in UNCHANGED if key in table.data]
    if useless and "interpreter" in table.data:
        names = " and ".join(f"`{key}`" for key in useless)
        table.note(
            f"`interpreter` together with {names}: an interpreter that exists is used unchanged, nothing "
            f"is built or installed. Keep `interpreter` alone, or leave it out to have a virtualenv built"
        )
    revision = table.get("revision", _word, None)
    flows = _below(base, table.get("flows", _word, f"flows_{name}"))
    entries: tuple[str, ...] = table.get("python-path", _words, ())
    paths = tuple(_below(base, entry) for entry in entries)
    # The folders of a revision are in its own tree, which is laid out later.
    if revision is None:
        if not flows.is_dir():
            table.note(missing_folder("flows", flows, base))
        for path in paths:
            if not path.exists():
                table.note(missing_folder("python-path", path, base))
    python = table.get("python", _python, None)
    return Side(
        name=name,
        flows=flows,
        revision=revision,
        python_path=paths,
        # A version stays as written; what holds a separator is a path.
        python=str(_below(base, python)) if python and re.search(r"[/\\~]", python) else python,
        requirements=table.get("requirements", lambda value: _requirements(value, base), None),
        interpreter=table.get("interpreter", lambda value: _below(base, _word(value)), None),
        exclude_newer=table.get("exclude-newer", _moment, None),
    )


def missing_folder(key: str, folder: Path, base: Path) -> str:
    """What is said of a folder that is not there: where it was looked for, and the nearest that is."""
    if folder.exists():
        return f"`{key}`: {quoted(shown_path(folder, base))} is a file, not a folder"
    parent = folder.parent
    there = [entry.name for entry in parent.iterdir() if entry.is_dir()] if parent.is_dir() else []
    like = nearest(folder.name, there)
    text = f"`{key}`: there is no folder {quoted(shown_path(folder, base))} below {base}"
    hint = (
        f"; did you mean {quoted(shown_path(parent / like, base))}?" if like else "; make it, or name another"
    )
    return text + hint


def shown_path(path: Path, base: Path) -> str:
    """A path as a user writes it: relative to the root where it is below it, with slashes."""
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)


def _variables(top: _Table) -> Mapping[str, str]:
    environment = top.table("environment")
    environment.known(ENVIRONMENT_KEYS)
    table = environment.table("variables")
    found: dict[str, str] = {}
    for name in table.data:
        if not name or "=" in name or "\0" in name:
            table.note(f"{quoted(name)}: no name of a variable: it is empty, or holds `=` or NUL")
        found[name] = table.get(name, _text, "")
    return found


def _pairs(top: _Table) -> Mapping[str, PairSettings]:
    tables = top.table("pairs")
    pairs = {name: _pair(name, tables.table(name)) for name in tables.data}
    seen: dict[tuple[object, ...], str] = {}
    for name, pair in pairs.items():
        if not (pair.v1 and pair.v2):
            continue
        # A flow may be in several pairs (with other parameters held, say), but not twice in the same one.
        what = (pair.v1, pair.v2, *(repr(sorted(fixed.items())) for fixed in (pair.fixed_v1, pair.fixed_v2)))
        if what in seen:
            first = table_name("pairs", seen[what])
            tables.table(name).note(f"has the v1, v2 and fixed of {first}: the same pair twice. Remove one")
        seen.setdefault(what, name)
    return pairs


def _pair(name: str, table: _Table) -> PairSettings:
    table.known(PAIR_KEYS)
    fixed, output = table.table("fixed"), table.table("output")
    fixed.known(("v1", "v2"))
    output.known(("v1", "v2"))
    pair = PairSettings(
        name=name,
        v1=table.get("v1", _selector, None),
        v2=table.get("v2", _selector, None),
        parameters=_entries(table.table("parameters"), _word),
        fixed_v1=dict(fixed.table("v1").data),
        fixed_v2=dict(fixed.table("v2").data),
        tasks=_entries(table.table("tasks"), _word),
        output_v1=output.get("v1", _output, None),
        output_v2=output.get("v2", _output, None),
        examples=table.get("examples", _count, None),
        budget=table.get("budget", _seconds, None),
        compare=table.get("compare", _compare, None),
        states=table.get("states", _states, None),
        ignore=table.get("ignore", _words, ()),
        tolerance=_entries(table.table("tolerance"), _tolerance),
        unordered=_entries(table.table("unordered"), _row_key),
    )
    targets = list(pair.parameters.values())
    for target in sorted({one for one in targets if targets.count(one) > 1}):
        table.note(f"`parameters`: several v1 parameters become {quoted(target)}; a v2 parameter takes one")
    for side, mapped, held in (("v1", pair.parameters, pair.fixed_v1), ("v2", targets, pair.fixed_v2)):
        for parameter in sorted(set(mapped) & set(held)):
            table.note(
                f"{quoted(parameter)} is in `parameters` and `fixed.{side}`: drawn, or held? Remove one"
            )
    return pair


def _entries(table: _Table, check: Callable[[object], T]) -> dict[str, T]:
    """Every entry of a table whose keys are the user's own; wrong ones are noted and left out."""
    found: dict[str, T] = {}
    for key in table.data:
        value = table.get(key, lambda value: (check(value),), None)
        if value is not None:
            found[key] = value[0]
    return found


def _shown(value: object) -> str:
    """What was given, as TOML writes it, with its type; at most 60 characters of it."""
    kinds: tuple[tuple[type, str], ...] = (
        *((bool, "boolean"), (int, "integer"), (float, "float"), (str, "string"), (list, "list")),
        *((dict, "table"), (datetime, "date-time"), (date, "date"), (time, "time")),
    )
    kind = next((name for cls, name in kinds if isinstance(value, cls)), type(value).__name__)
    plain = isinstance(value, (bool, str, list, dict))
    text = json.dumps(value, ensure_ascii=False, default=str) if plain else str(value)
    return f"{text if len(text) <= 60 else text[:57] + '…'} ({kind})"


def _any_table(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _Wrong("expected a table")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise _Wrong("expected a string, without NUL")
    return value


def _word(value: object) -> str:
    if not _is_word(value):
        raise _Wrong("expected a string that is not empty, without NUL")
    return value


def _is_word(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _Wrong("expected a list of strings")
    for entry in value:
        if not _is_word(entry):
            text = f"expected a list of strings that are not empty, got {_shown(entry)} in it"
            raise _Wrong(text, given=False)
    return tuple(value)


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _Wrong("expected a whole number of at least 1")
    return value


def _number(value: object, expected: str) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= sys.float_info.max:
        raise _Wrong(expected)
    return float(value)


def _seconds(value: object) -> float:
    expected = "expected a number of seconds above 0"
    if _number(value, expected) == 0:
        raise _Wrong(expected)
    return _number(value, expected)


def _seconds_or_zero(value: object) -> float:
    return _number(value, "expected a number of seconds, 0 or more (0: no shrinking)")


def _tolerance(value: object) -> float:
    return _number(value, "expected a number, 0 or more")


def _choice(value: object, allowed: Sequence[str], expected: str) -> str:
    """One of the allowed words; the nearest one is named where it is none of them."""
    if isinstance(value, str) and value in allowed:
        return value
    like = nearest(value, allowed) if isinstance(value, str) else None
    hint = f"; did you mean {quoted(like)}?" if like else ""
    words = ", ".join(map(quoted, allowed))
    raise _Wrong(f"expected {expected} {words}, got {_shown(value)}{hint}", given=False)


def _states(value: object) -> Strictness:
    return cast(Strictness, _choice(value, STRICTNESS, "one of"))


def _compare(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise _Wrong(f"expected a list with one or more of {', '.join(map(quoted, COMPARABLE))}")
    given = {_choice(entry, COMPARABLE, "only") for entry in value}
    return tuple(word for word in COMPARABLE if word in given)


def _python(value: object) -> str:
    if not _is_word(value):
        raise _Wrong('expected a string such as "3.10" or a path')
    return value


def _requirements(value: object, base: Path) -> tuple[str, ...] | Path:
    if isinstance(value, list) and value:
        return _words(value)
    if not _is_word(value):
        raise _Wrong("expected a list of requirements or the path of a requirements file")
    path = _below(base, value)
    if not path.is_file():
        raise _Wrong(
            f"expected a list of requirements or the path of a requirements file; there is no file {path}. "
            f"One requirement is a list as well: [{quoted(value)}]",
            given=False,
        )
    return path


def _moment(value: object) -> str:
    """A date, or an instant with its offset; TOML's own dates as well as strings."""
    text = value.isoformat() if isinstance(value, date) else value
    expected = 'expected a date such as "2024-06-01", or a time with offset such as "2024-06-01T12:00:00Z"'
    if not isinstance(text, str):
        raise _Wrong(expected)
    try:
        # Python 3.10 does not read the Z, nor does it take a date for the whole of a time.
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            date.fromisoformat(text)
        elif datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text)).tzinfo is None:
            raise _Wrong(expected)
    except ValueError:
        raise _Wrong(expected) from None
    return text


def _selector(value: object) -> str:
    expected = 'expected a flow such as "flows/orders.py::flow", "orders.py::build()" or "orders.py"'
    if not isinstance(value, str) or not re.fullmatch(r".+\.py(::.+)?", value, re.DOTALL):
        raise _Wrong(expected)
    return value


def _output(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"return|task:.+", value, re.DOTALL):
        raise _Wrong('expected "return" or "task:NAME"')
    return value


def _row_key(value: object) -> str | None:
    if value is True:
        return None
    if not isinstance(value, str) or not value:
        raise _Wrong("expected the name of the key that rows are matched by, or true for rows without one")
    return value


def _below(base: Path, given: str) -> Path:
    """An absolute path; links stay links, since a virtualenv's `bin/python` is one."""
    return Path(os.path.normpath(base / os.path.expanduser(given)))
