"""Paths into values, ``result.rows[3].id``, and the patterns that users write for them."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass

_STEP = re.compile(
    r"""\.?(?P<name>[^\W\d]\w*|\*)(?=[.\[]|$)"""
    r"""|\[(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\]"""
    r"""|\[(?P<other>[^\]]*)\]"""
    r"""|\.(?P<loose>[^.\[]+)"""
)


@functools.lru_cache(maxsize=4096)
def steps(path: str) -> tuple[str, ...]:
    """The steps of a path or pattern; ``.name`` and ``["name"]`` give the same one, ``[3]`` gives ``[3]``."""
    found = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:  # a name that starts with a digit, or the like: up to the next dot or bracket
            match = re.compile(r"(?P<loose>[^.\[]+|.)").match(path, at)
            assert match is not None
        groups = match.groupdict()
        text, other = groups.get("text"), groups.get("other")
        if text is not None:
            found.append(json.loads(text) if text[0] == '"' else text[1:-1])
        elif other is not None:
            found.append("*" if other == "*" else f"[{other}]")
        else:
            found.append(groups.get("name") or groups.get("loose") or "")
        at = match.end()
    return tuple(found)


def covers(pattern: str, place: tuple[str, ...]) -> bool:
    """Whether a pattern is the place or stands above it."""
    wanted = steps(pattern)
    return len(wanted) <= len(place) and all(w in ("*", p) for w, p in zip(wanted, place, strict=False))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a comparison stands: the text for people, the steps for patterns."""

    text: str
    steps: tuple[str, ...]

    @classmethod
    def at(cls, path: str) -> Place:
        """The place of a path."""
        return cls(path, steps(path))

    def attribute(self, name: str) -> Place:
        """An attribute of an object."""
        return Place(f"{self.text}.{name}", (*self.steps, name))

    def key(self, key: str) -> Place:
        """A key of a dict that is text."""
        if key.isidentifier():
            return self.attribute(key)
        return self.column(key)

    def column(self, name: str) -> Place:
        """A key of text, always in brackets: columns of frames."""
        return Place(f"{self.text}[{json.dumps(name, ensure_ascii=_odd(name))}]", (*self.steps, name))

    def item(self, shown: object) -> Place:
        """An index, or a key that is no text, as shown."""
        return Place(f"{self.text}[{shown}]", (*self.steps, f"[{shown}]"))


def _odd(text: str) -> bool:
    return not text.isprintable()
