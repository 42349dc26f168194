"""Secrets of the configuration, taken out of everything that is shown or written.

They are taken out of traces, before anything is cut or compared: a value of both sides becomes the same name on both.
Texts that are made otherwise (errors, defaults of parameters, what a flow prints) are searched as a whole.

====================  ====================================================================================
characters            where it is taken out
====================  ====================================================================================
8 and more            everywhere, also as a part of a word, and as Python, JSON, URLs and base64 write it
4 to 7                everywhere in a value; in a text where it stands as a word: ``test`` in ``key=test``, and
                      not in ``latest``
fewer                 where it is the whole of a value
====================  ====================================================================================

Digests stay: they are made of the true values.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

ANYWHERE = 8
AS_WORD = 4

Read = Callable[[int, int], bytes]

_STRUCTURE = frozenset(
    ("t", "d", "c", "n", "o", "why", "dtype", "how", "blocks", "at", "size", "up", "lib", "shape", "range")
)
"""Keys of a typed tree that hold nothing of the user's."""

_TEXTS = frozenset(("message", "text", "details", "traceback", "reason"))
"""Keys of an event that hold text."""


class Redactor:
    """Replaces the values of secrets by their names."""

    def __init__(self, secrets: Mapping[str, object]) -> None:
        self._whole: dict[str, str] = {}
        written: dict[str, str] = {}
        for name, value in secrets.items():
            for label, text in _members(name, value):
                self._whole.setdefault(text, f"<secret {label}>")
                for form in _forms(text):
                    written.setdefault(form, f"<secret {label}>")
        # The longer first: one may hold another.
        self._parts = [
            _Part(form, label)
            for form, label in sorted(written.items(), key=lambda entry: -len(entry[0]))
            if len(form) >= AS_WORD
        ]

    def __bool__(self) -> bool:
        """Whether there is anything to take out."""
        return bool(self._whole)

    def text(self, text: str) -> str:
        """The text without secrets, also without the part of one that was left where the text was cut."""
        if text in self._whole:
            return self._whole[text]
        for part in self._parts:
            text = part.out_of(text)
        if "…" in text:
            for part in self._parts:
                text = part.remains_out_of(text)
        return text

    def data(self, data: Any) -> Any:
        """JSON data in which every text, keys too, is free text."""
        if not self:
            return data
        if isinstance(data, str):
            return self.text(data)
        if isinstance(data, Mapping):
            return {self.text(str(key)): self.data(value) for key, value in data.items()}
        if isinstance(data, list | tuple):
            return [self.data(value) for value in data]
        # A number may be one as well: Prefect 1 reads "4815162342" as JSON.
        label = None if data is None or isinstance(data, bool) else self._whole.get(str(data))
        return data if label is None else label

    def pair(self, pair: Mapping[str, Any]) -> dict[str, Any]:
        """A pair's entry of the report; names, kinds and paths of files stay as they are."""
        if not self:
            return dict(pair)
        told = ("opaque", "uncompared", "replaced", "notes", "error")
        found = {key: self.data(value) if key in told else value for key, value in pair.items()}
        found["noise"] = [{**noise, "reason": self.text(noise["reason"])} for noise in pair["noise"]]
        found["findings"] = [self.finding(finding) for finding in pair["findings"]]
        return found

    def finding(self, finding: Mapping[str, Any]) -> dict[str, Any]:
        """One entry of a pair's ``findings``; the exact parameters stay, or it could not be replayed."""
        told = ("v1", "v2", "note", "lines")
        found = {key: self.data(value) if key in told else value for key, value in finding.items()}
        case = finding["case"]
        again = [{**one, "changed": self.data(one["changed"])} for one in case["again"]]
        found["case"] = {**case, "parameters": self.data(case["parameters"]), "again": again}
        return found

    # ----------------------------------------------------------------------------------------- what workers send

    def event(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """An event of a run."""
        return self._fields(event) if self else event

    def _fields(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in fields.items():
            if key in _TEXTS and isinstance(value, str):
                found[key] = self.text(value)
            elif key == "exception" and isinstance(value, Mapping):
                found[key] = self._fields(value)
            elif key in ("result", "value") and isinstance(value, Mapping):
                found[key] = self._envelope(value)
            else:
                found[key] = value
        return found

    def _envelope(self, envelope: Mapping[str, Any]) -> dict[str, Any]:
        found = dict(envelope)
        found["opaque"] = self.data(envelope.get("opaque", []))
        if "root" in envelope:
            found["root"] = self.tree(envelope["root"])
        if "shared" in envelope:
            found["shared"] = {digest: self.tree(tree) for digest, tree in envelope["shared"].items()}
        return found

    def tree(self, tree: Any) -> Any:
        """A typed tree, or any part of one."""
        if isinstance(tree, str):
            return self._whole.get(tree) or self._value(tree)
        if isinstance(tree, list):
            return [self.tree(member) for member in tree]
        if not isinstance(tree, dict):
            return tree
        found: dict[str, Any] = {}
        for key, value in tree.items():
            if key in _STRUCTURE:
                found[key] = value
            elif key == "data" and tree.get("how") == "json":
                found[key] = [base64.b64encode(self.spooled(base64.b64decode(one))).decode() for one in value]
            elif key == "v" and isinstance(value, dict):
                found[key] = {self._key(name): self.tree(member) for name, member in value.items()}
            elif key == "v" and isinstance(value, str):
                found[key] = self._body(tree.get("t"), value)
            elif key == "data":
                found[key] = value
            else:
                found[key] = self.tree(value)
        return found

    def _key(self, name: str) -> str:
        """A key is a step of paths, which users name in their settings: a part of a word stays."""
        return self._whole.get(name) or self.text(name)

    def _value(self, value: str) -> str:
        for part in self._parts:
            value = part.anywhere.sub(part.told, value)
        return value

    def _body(self, kind: Any, body: str) -> str:
        if kind == "path":
            return str(self.tree(body))
        if kind in ("bytes", "bytearray"):
            held = base64.b64decode(body)
            try:
                return base64.b64encode(self.tree(held.decode()).encode()).decode()
            except UnicodeDecodeError:
                return body
        return body

    def spooled(self, content: bytes) -> bytes:
        """A piece of a worker's spool file: JSON, or numbers, which stay."""
        if not self or content[:1] not in (b"[", b"{"):
            return content
        try:
            held = json.loads(content)
        except ValueError:
            return content
        if isinstance(held, dict) and set(held) == {"root", "shared"}:
            held = {
                "root": self.tree(held["root"]),
                "shared": {digest: self.tree(tree) for digest, tree in held["shared"].items()},
            }
        else:
            held = self.tree(held)
        return json.dumps(held).encode("ascii")

    def reader(self, read: Read) -> Read:
        """Reads the spool file without secrets."""
        return (lambda offset, length: self.spooled(read(offset, length))) if self else read


def _members(name: str, value: object) -> Iterator[tuple[str, str]]:
    """A secret as text, and of a table or list, also of one that is written as JSON, each member."""
    if isinstance(value, Mapping):
        yield name, json.dumps(value)
        for key, member in value.items():
            yield from _members(f"{name}.{key}", member)
    elif isinstance(value, list):
        yield name, json.dumps(value)
        for index, member in enumerate(value):
            yield from _members(f"{name}[{index}]", member)
    elif isinstance(value, str):
        if value:
            yield name, value
        try:
            held = json.loads(value)
        except ValueError:
            return
        if isinstance(held, Mapping | list):
            yield from _members(name, held)
    elif value is not None and not isinstance(value, bool):
        yield name, str(value)


def _forms(text: str) -> Iterator[str]:
    """A secret as it is, and as URLs and headers write it."""
    yield text
    if len(text) >= AS_WORD:
        raw = text.encode("utf-8", "surrogatepass")
        yield quote(raw, safe="")
        yield quote_plus(raw)
        if len(text) >= ANYWHERE:
            yield base64.b64encode(raw).decode().rstrip("=")


class _Part:
    """One text to take out, however often Python and JSON have escaped it."""

    def __init__(self, form: str, label: str) -> None:
        self._label = label
        self._length = len(form)
        self._characters = [re.compile(pattern) for pattern in map(_escaped, form)]
        pattern = "".join(map(_escaped, form))
        self.anywhere = re.compile(pattern)
        self._as_word = re.compile(rf"(?<![A-Za-z0-9_]){pattern}(?![A-Za-z0-9_])")

    def told(self, found: re.Match[str]) -> str:
        """What stands in its place."""
        return self._label

    def out_of(self, text: str) -> str:
        """A free text without it."""
        return (self.anywhere if self._length >= ANYWHERE else self._as_word).sub(self.told, text)

    def remains_out_of(self, text: str) -> str:
        """A free text without a beginning of it before ``…``, nor an end of it after one."""
        if self._length < ANYWHERE:
            return text
        pieces = text.split("…")
        for index in range(len(pieces) - 1):
            pieces[index] = self._without_beginning(pieces[index])
            pieces[index + 1] = self._without_end(pieces[index + 1])
        return "…".join(pieces)

    def _without_beginning(self, piece: str) -> str:
        kept = piece.rstrip(" '\"")
        for start in range(max(len(kept) - 8 * self._length, 0), len(kept) - AS_WORD + 1):
            end, count = self._follow(kept, start, 0)
            if end == len(kept) and count >= AS_WORD:
                return kept[:start] + self._label
        return piece

    def _without_end(self, piece: str) -> str:
        kept = piece.lstrip(" '\"\n")
        for first in range(1, self._length - AS_WORD + 1):
            end, count = self._follow(kept, 0, first)
            if first + count == self._length:
                return self._label + kept[end:]
        return piece

    def _follow(self, text: str, at: int, first: int) -> tuple[int, int]:
        """How far a text goes on like the secret from its character ``first`` on; and for how many characters."""
        count = 0
        for character in self._characters[first:]:
            found = character.match(text, at)
            if found is None:
                break
            at, count = found.end(), count + 1
        return at, count


_LETTERS = {"\n": "n", "\r": "r", "\t": "t"}


def _escaped(character: str) -> str:
    """A pattern for a character as it is and as it is escaped, once or several times."""
    if character in "'\"":
        return r"\\*" + character
    if character == "\\":
        return r"\\+"
    if character in _LETTERS:
        return rf"(?:\s|\\+{_LETTERS[character]})"
    if " " <= character <= "~":
        return re.escape(character)
    code = ord(character)
    return rf"(?:{re.escape(character)}|\\+(?i:u{code:04x}|x{code:02x}|U{code:08x}))"
