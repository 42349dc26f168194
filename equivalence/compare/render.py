"""Short, Python-like texts of trees, for people."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from equivalence.compare.tree import Tree, kind

LIMIT = 200
"""Characters of a text; longer ones end in an ellipsis."""

_BRACKETS = {
    "list": ("[", "]"),
    "tuple": ("(", ")"),
    "set": ("{", "}"),
    "frozenset": ("frozenset({", "})"),
    "deque": ("deque([", "])"),
    "range": ("range(", ")"),
    "slice": ("slice(", ")"),
    "regex": ("re.compile(", ")"),
}


def render(tree: Tree, shared: Mapping[str, Tree] | None = None, limit: int = LIMIT) -> str:
    """At most ``limit`` characters, like Python's repr."""
    return _cut(_Renderer(shared or {}, limit).text(tree, 0), limit)


def render_pair(
    one: Tree,
    other: Tree,
    shared1: Mapping[str, Tree] | None = None,
    shared2: Mapping[str, Tree] | None = None,
) -> tuple[str, str]:
    """Two texts that can be told apart: long ones around their first difference, types where needed."""
    if isinstance(one, str) and isinstance(other, str) and max(len(one), len(other)) > 150:
        return _excerpt(one, other), _excerpt(other, one)
    texts = render(one, shared1), render(other, shared2)
    if texts[0] != texts[1] and not _numbers(one, other):
        return texts
    kinds = type_name(one), type_name(other)
    if kinds[0] == kinds[1]:
        return texts
    return _cut(texts[0], LIMIT - len(kinds[0]) - 3) + f" ({kinds[0]})", _cut(
        texts[1], LIMIT - len(kinds[1]) - 3
    ) + f" ({kinds[1]})"


def type_name(tree: Tree) -> str:
    """The type of a tree in Python's words."""
    name = kind(tree)
    if name in ("object", "model", "namedtuple", "exception", "enum", "opaque", "class"):
        return class_text(tree["c"])
    if name in ("frame", "series", "index", "array"):
        return f"{tree['lib']} {name}"
    return {"bigint": "int", "NoneType": "None"}.get(name, name)


def class_text(name: str) -> str:
    """A class without the module when it is a builtin."""
    return name.removeprefix("builtins:").replace(":", ".")


def _numbers(one: Tree, other: Tree) -> bool:
    return isinstance(one, int | float) and isinstance(other, int | float) and one == other


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _excerpt(text: str, other: str) -> str:
    at = next((i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other)))
    start = max(0, at - 40)
    piece = text[start : at + 60]
    before, after = "…" if start else "", "…" if at + 60 < len(text) else ""
    return _cut(f"{before}{ascii_if_odd(piece)}{after} ({len(text)} characters, differs at {at})", LIMIT)


def ascii_if_odd(text: str) -> str:
    """Python's repr; escapes lone surrogates, which no terminal takes."""
    shown = repr(text)
    try:
        shown.encode("utf-8")
    except UnicodeEncodeError:
        return ascii(text)
    return shown


class _Renderer:
    def __init__(self, shared: Mapping[str, Tree], limit: int) -> None:
        self._shared = shared
        self._room = limit + 50

    def text(self, tree: Tree, level: int) -> str:
        """The text of one node; members stop when the room is used up."""
        if not isinstance(tree, dict):
            shown = ascii_if_odd(tree[: self._room + 50]) if isinstance(tree, str) else _number(tree)
            self._room -= len(shown)
            return shown
        if level > 6:
            return "…"
        name = tree["t"]
        if name == "ref":
            target = self._shared.get(tree["d"])
            return "…" if target is None else self.text(target, level)
        if name in _BRACKETS:
            opening, closing = _BRACKETS[name]
            body = self._many(tree["v"], lambda member: self.text(member, level + 1))
            return opening + body + ("," if name == "tuple" and tree["n"] == 1 else "") + closing
        if name == "dict":
            items = list(tree["v"].items()) if "v" in tree else tree["items"]
            return "{" + self._many(items, lambda i: f"{self.text(i[0], level)}: {self.text(i[1], level + 1)}") + "}"
        if name in ("object", "model", "namedtuple"):
            inner = [("", tree["base"])] if "base" in tree else []
            inner += [(key + "=", member) for key, member in tree["v"].items()]
            return class_text(tree["c"]) + f"({self._many(inner, lambda i: i[0] + self.text(i[1], level + 1))})"
        if name == "exception":
            arguments = self._many(tree["args"], lambda member: self.text(member, level + 1))
            return f"{class_text(tree['c'])}({arguments})"
        if name == "enum":
            key = tree["k"]
            return (
                f"{class_text(tree['c'])}.{key}" if key else f"{class_text(tree['c'])}({self.text(tree['v'], level)})"
            )
        shown = leaf_text(tree)
        self._room -= len(shown)
        return shown

    def _many(self, members: Any, write: Callable[[Any], str]) -> str:
        texts = []
        for member in members:
            if self._room <= 0:
                texts.append("…")
                break
            texts.append(write(member))
            self._room -= 2
        return ", ".join(texts)


def _number(tree: object) -> str:
    return repr(tree)


def leaf_text(tree: Mapping[str, Any]) -> str:
    """The text of a node without members."""
    name, value = tree["t"], tree.get("v")
    if name == "opaque":
        return f"<{class_text(tree['c'])}: {tree['why']}>"
    if name == "class":
        return f"<class {class_text(tree['c'])}>"
    if name == "cycle":
        return "<cycle>"
    if name == "bytes" or name == "bytearray":
        shown = repr(base64.b64decode(str(value)[:400]))
        return shown if name == "bytes" else f"bytearray({shown})"
    if name == "str":
        return ascii(bytes.fromhex(str(value)).decode("utf-8", "surrogatepass"))
    if name == "bigint":
        return str(value)
    if name == "complex":
        return repr(complex(*value)) if isinstance(value, list) else "complex"
    if name == "frame":
        names = ", ".join(render(column["name"], limit=40) for column in tree["columns"][:12])
        return f"{tree['lib']} frame of {tree['n']} rows, columns {names}"
    if name in ("array", "series", "index"):
        about = tree.get("column") or tree.get("index") or {}
        dtype = about.get("dtype", "int64")
        size = "x".join(map(str, tree["shape"])) if "shape" in tree else tree["n"]
        return f"{tree['lib']} {name} of {size} {dtype}"
    if value is None:
        return {"ellipsis": "...", "notimplemented": "NotImplemented"}.get(str(name), str(name))
    return f"{name}({json.dumps(value, ensure_ascii=False)})"
