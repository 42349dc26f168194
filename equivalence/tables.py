"""Tables of a TOML file, read and checked: each mistake is noted with its place and what is meant.

A check turns the value of a key into a setting, or raises `Wrong` with what is expected in its place.
"""

from __future__ import annotations

import difflib
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import TypeGuard, TypeVar

T = TypeVar("T")

TOP_KEYS = ("examples", "patience", "budget", "shrink", "compare", "states", "run-timeout", "load-timeout")
TOP_TABLES = ("v1", "v2", "environment", "pairs")
UNCHANGED = ("python", "requirements", "exclude-newer")
SIDE_KEYS = ("flows", "revision", "python-path", "interpreter", *UNCHANGED)
ENVIRONMENT_KEYS = ("variables", "secrets")
PAIR_KEYS = (
    *("v1", "v2", "parameters", "fixed", "tasks", "output", "examples", "patience", "budget", "compare", "states"),
    *("ignore", "tolerance", "unordered"),
)


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


class Wrong(Exception):
    """What is expected in place of a value; the table adds where, and what was given unless told not to."""

    def __init__(self, expected: str, *, given: bool = True) -> None:
        super().__init__(expected)
        self.given = given


class Table:
    """One table of the file: checks its keys, reads its values, and notes each mistake with its place."""

    def __init__(self, parts: tuple[str, ...], data: Mapping[str, object], mistakes: list[str]) -> None:
        self.parts, self.data, self.mistakes = parts, data, mistakes

    def note(self, text: str) -> None:
        """Note a mistake in this table."""
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
        except Wrong as wrong:
            given = f", got {shown(self.data[key])}" if wrong.given else ""
            self.note(f"`{key}`: {wrong}{given}")
            return default

    def table(self, key: str) -> Table:
        """The table below this key, empty where it is absent or not a table (which is noted)."""
        return Table((*self.parts, key), self.get(key, any_table, {}), self.mistakes)


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


def entries(table: Table, check: Callable[[object], T]) -> dict[str, T]:
    """Every entry of a table whose keys are the user's own; wrong ones are noted and left out."""
    found: dict[str, T] = {}
    for key in table.data:
        value = table.get(key, lambda value: (check(value),), None)
        if value is not None:
            found[key] = value[0]
    return found


def shown(value: object) -> str:
    """What was given, as TOML writes it, with its type; at most 60 characters of it."""
    kinds: tuple[tuple[type, str], ...] = (
        *((bool, "boolean"), (int, "integer"), (float, "float"), (str, "string"), (list, "list")),
        *((dict, "table"), (datetime, "date-time"), (date, "date"), (time, "time")),
    )
    kind = next((name for cls, name in kinds if isinstance(value, cls)), type(value).__name__)
    plain = isinstance(value, (bool, str, list, dict))
    text = json.dumps(value, ensure_ascii=False, default=str) if plain else str(value)
    return f"{text if len(text) <= 60 else text[:57] + '…'} ({kind})"


def any_table(value: object) -> Mapping[str, object]:
    """A table, not looked into."""
    if not isinstance(value, dict):
        raise Wrong("expected a table")
    return value


def text(value: object) -> str:
    """A string, which may be empty."""
    if not isinstance(value, str) or "\0" in value:
        raise Wrong("expected a string, without NUL")
    return value


def word(value: object) -> str:
    """A string that says something."""
    if not is_word(value):
        raise Wrong("expected a string that is not empty, without NUL")
    return value


def is_word(value: object) -> TypeGuard[str]:
    """Whether the value is a string that says something."""
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value


def words(value: object) -> tuple[str, ...]:
    """A list of strings that say something."""
    if not isinstance(value, list):
        raise Wrong("expected a list of strings")
    for entry in value:
        if not is_word(entry):
            text = f"expected a list of strings that are not empty, got {shown(entry)} in it"
            raise Wrong(text, given=False)
    return tuple(value)


def count(value: object) -> int:
    """A whole number of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise Wrong("expected a whole number of at least 1")
    return value


def count_or_zero(value: object) -> int:
    """A whole number, or 0 for never."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Wrong("expected a whole number, 0 or more (0: never)")
    return value


def number(value: object, expected: str) -> float:
    """A finite number of at least 0."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= sys.float_info.max:
        raise Wrong(expected)
    return float(value)


def seconds(value: object) -> float:
    """Seconds, more than 0."""
    expected = "expected a number of seconds above 0"
    if number(value, expected) == 0:
        raise Wrong(expected)
    return number(value, expected)


def seconds_or_zero(value: object) -> float:
    """Seconds, or 0 for not at all."""
    return number(value, "expected a number of seconds, 0 or more (0: no shrinking)")


def tolerance(value: object) -> float:
    """How far two numbers may be apart."""
    return number(value, "expected a number, 0 or more")


def choice(value: object, allowed: Sequence[str], expected: str) -> str:
    """One of the allowed words; the nearest one is named where it is none of them."""
    if isinstance(value, str) and value in allowed:
        return value
    like = nearest(value, allowed) if isinstance(value, str) else None
    hint = f"; did you mean {quoted(like)}?" if like else ""
    words = ", ".join(map(quoted, allowed))
    raise Wrong(f"expected {expected} {words}, got {shown(value)}{hint}", given=False)


def python(value: object) -> str:
    """A version of Python, or the path of one."""
    if not is_word(value):
        raise Wrong('expected a string such as "3.10" or a path')
    return value


def moment(value: object) -> str:
    """A date, or an instant with its offset; TOML's own dates as well as strings."""
    text = value.isoformat() if isinstance(value, date) else value
    expected = 'expected a date such as "2024-06-01", or a time with offset such as "2024-06-01T12:00:00Z"'
    if not isinstance(text, str):
        raise Wrong(expected)
    try:
        # Python 3.10 does not read the Z, nor does it take a date for the whole of a time.
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            date.fromisoformat(text)
        elif datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text)).tzinfo is None:
            raise Wrong(expected)
    except ValueError:
        raise Wrong(expected) from None
    return text


def selector(value: object) -> str:
    """How a flow is named, see `equivalence.flows`."""
    expected = 'expected a flow such as "flows/orders.py::flow", "orders.py::build()" or "orders.py"'
    if not isinstance(value, str) or not re.fullmatch(r".+\.py(::.+)?", value, re.DOTALL):
        raise Wrong(expected)
    return value


def output(value: object) -> str:
    """Where the output of a flow is."""
    if not isinstance(value, str) or not re.fullmatch(r"return|task:.+", value, re.DOTALL):
        raise Wrong('expected "return" or "task:NAME"')
    return value


def row_key(value: object) -> str | None:
    """The key that rows are matched by; None for `true`, rows without one."""
    if value is True:
        return None
    if not isinstance(value, str) or not value:
        raise Wrong("expected the name of the key that rows are matched by, or true for rows without one")
    return value
