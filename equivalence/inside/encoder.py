"""The encoder: one walk over a value that makes nodes of what it meets, each object once, within bounds.

It writes JSON text directly: a list of a million numbers is dumped once, and that text is digested. How values of a
class become nodes is for the handlers it is given.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring_ascii as quote
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

from .classes import class_name, qualname_of
from .nodes import (
    Cell,
    Encoded,
    Members,
    Refused,
    digest_of,
    flatten,
    has_surrogates,
    joined,
    key_piece,
    root_digest,
    scalars_text,
    skeleton_of,
)

INLINE = 64 * 1024
"""Characters of JSON; a longer tree goes to the spool file."""
MAX_NODES = 2000000
MAX_LEVELS = 1000
MAX_REVISITS = 10000
"""How often objects inside reference cycles are encoded again: unrolling a dense graph is exponential."""

Handler = Callable[["Encoder", Any], Encoded]
"""Makes a node of a value of the classes it is for."""


class Encoder(object):
    """Encodes one value; not for use twice. `handler_for` is asked once for a class that `handlers` has not."""

    def __init__(
        self,
        handlers: Dict[type, Handler],
        handler_for: Callable[[type], Handler],
        write: Optional[Callable[[bytes], List[int]]] = None,
    ) -> None:
        self.write = write  # appends to the spool, and gives back the place; None when there is none
        self.nodes = 0
        self.skews = {}  # type: Dict[str, int]
        self._handlers = dict(handlers)
        self._handler_for = handler_for
        self._names = {}  # type: Dict[type, str]
        self._level = 0
        self._lowest = MAX_LEVELS * 2  # level of the outermost object a cycle below points to
        self._active = {}  # type: Dict[int, int]
        self._done = {}  # type: Dict[int, Tuple[Any, Cell]]
        self._cyclic = {}  # type: Dict[int, Any]
        self._revisits = 0

    # -- one node --

    def node(self, value: Any) -> Encoded:
        """The text of a scalar or leaf, the cell of everything else, opaque ones included."""
        kind = type(value)
        handler = self._handlers.get(kind)
        try:
            if handler is None:
                handler = self._handlers[kind] = self._handler_for(kind)
            return handler(self, value)
        except Refused as refusal:
            return self.opaque(kind, str(refusal))
        except Exception as error:
            return self.opaque(kind, "encoding raised %s" % qualname_of(type(error)))

    def name(self, cls: type) -> str:
        """`class_name`, remembered."""
        name = self._names.get(cls)
        if name is None:
            name = self._names[cls] = class_name(cls)
        return name

    def skew(self, rule: str, count: int = 1) -> None:
        """Count one use of a named normalisation."""
        self.skews[rule] = self.skews.get(rule, 0) + count

    def opaque(self, cls: type, why: str) -> Cell:
        """The node that is never equal to anything."""
        self.nodes += 1
        text = '{"t":"opaque","c":%s,"why":%s}' % (quote(self.name(cls)), quote(why))
        cell = Cell(text, [text], 1)
        cell.opaques = 1
        cell.where = (("", why),)
        return cell

    def leaf(self, kind: str, body: str) -> str:
        """A node without members; ``body`` is JSON."""
        self.nodes += 1
        return '{"t":"%s","v":%s}' % (kind, body)

    def inside(self, value: Any, build: Callable[[], Cell]) -> Encoded:
        """``build`` the cell of a container, once for each object; a cycle becomes a leaf."""
        key = id(value)
        known = self._done.get(key)
        if known is not None:
            known[1].uses += 1
            return known[1]
        level = self._level
        above = self._active.get(key)
        if above is not None:
            self._lowest = min(self._lowest, above)
            return '{"t":"cycle","up":%d}' % (level - above)
        if level >= MAX_LEVELS:
            self._lowest = -1
            return self.opaque(type(value), "nested deeper than %d levels" % MAX_LEVELS)
        if self.nodes > MAX_NODES:
            return self.opaque(type(value), "more than %d nodes" % MAX_NODES)
        if key in self._cyclic:
            self._revisits += 1
            if self._revisits > MAX_REVISITS:
                return self.opaque(type(value), "a graph with too many cycles")
        outer, self._lowest = self._lowest, MAX_LEVELS * 2
        self._active[key] = level
        self._level = level + 1
        try:
            cell = build()
        finally:
            self._level = level
            del self._active[key]
            lowest, self._lowest = self._lowest, min(outer, self._lowest)
        if lowest < level:  # what it looks like depends on where it stands: not to be shared
            self._cyclic[key] = value
        elif cell.weight > 8:
            self._done[key] = (value, cell)
            if lowest == level:  # a cycle that is closed here says nothing about what is above
                self._lowest = outer
        return cell

    # -- nodes with members --

    def close(self, kind: str, count: int, canonical: str, body: "Members", extra: str = "") -> Cell:
        """The cell of a container: ``canonical`` is digested, ``extra`` is JSON before the body."""
        self.nodes += 1
        digest = digest_of(canonical)
        head = '{"t":"%s",%s"d":"%s","n":%d,' % (kind, extra, digest, count)
        if body.opaques:
            head += '"o":%d,' % body.opaques
        cell = Cell('{"d":"%s"}' % digest, joined([head] + body.parts + ["}"]), body.weight + 1)
        cell.opaques = body.opaques
        cell.where = tuple(body.where)
        return cell

    def raw(self, kind: str, members: Any, text: str) -> Cell:
        """The cell of a sequence of scalars whose JSON is ``text``."""
        count = len(members)
        self.nodes += 1 + max(count, len(text) // 8) // 1024
        digest = digest_of(kind + text)
        return Cell(
            '{"d":"%s"}' % digest,
            ['{"t":"%s","d":"%s","n":%d,"v":%s}' % (kind, digest, count, text)],
            count + 1,
        )

    def sequence(self, kind: str, members: Any) -> Cell:
        """List, tuple and the like, in order."""
        text = scalars_text(members)
        if text is not None:
            return self.raw(kind, members, text)
        body = Members('"v":[')
        for index, member in enumerate(members):
            if self.nodes > MAX_NODES:
                body.add(self.opaque(type(member), "more than %d nodes" % MAX_NODES), "[%d]" % index)
                break
            body.add(self.node(member), "[%d]" % index)
        body.parts.append("]")
        return self.close(kind, len(members), "%s[%s]" % (kind, ",".join(body.skeletons)), body)

    def gathering(self, kind: str, members: Iterable[Any]) -> Cell:
        """Set and the like: sorted by what the members are."""
        encoded = sorted((self.node(member) for member in members), key=skeleton_of)
        body = Members('"v":[')
        for member in encoded:
            body.add(member, "{}")
        body.parts.append("]")
        return self.close(kind, len(encoded), "%s[%s]" % (kind, ",".join(body.skeletons)), body)

    def mapping(self, items: List[Tuple[Any, Any]]) -> Cell:
        """A dict from its items."""
        if all(type(key) is str and (key.isascii() or not has_surrogates(key)) for key, _ in items):
            body = self.named(items, key_piece)
            return self.close("dict", len(items), "dict" + body.canonical, body)
        body = Members('"items":[')
        pairs = []
        for key, value in items:
            first = self.node(key)
            second = self.node(value)
            body.add(first, "{key}", opening="[")
            body.add(second, key_piece(key if type(key) in (int, str, bool, float) else "?"), between=",")
            body.parts.append("]")
            pairs.append("[%s,%s]" % (skeleton_of(first), skeleton_of(second)))
        body.parts.append("]")
        return self.close("dict", len(items), "dict[%s]" % ",".join(sorted(pairs)), body)

    def named(self, items: List[Tuple[str, Any]], piece: Callable[[str], str], opening: str = "") -> "Members":
        """Members with names, as ``"v":{...}``; ``canonical`` of the result is independent of their order."""
        body = Members(opening + '"v":{')
        for name, value in items:
            body.add(self.node(value), piece(name), opening=quote(name) + ":")
        body.parts.append("}")
        order = sorted(range(len(items)), key=lambda index: items[index][0])
        body.canonical = "{%s}" % ",".join(quote(items[i][0]) + ":" + body.skeletons[i] for i in order)
        return body

    # -- the whole --

    def envelope(self, value: Any) -> Dict[str, Any]:
        """The envelope of ``value``."""
        root = self.node(value)
        if isinstance(root, str):
            self.nodes = max(self.nodes, 1)
            root = Cell(root, [root], 1)
        texts = flatten(root)
        found = {"digest": root_digest(root.skeleton), "nodes": self.nodes, "opaques": root.opaques}  # type: Dict[str, Any]
        found["opaque"] = [{"path": path, "why": why} for path, why in root.where]
        found["skews"] = self.skews
        length = sum(len(text) for text in texts.values())
        if self.write is not None and length > INLINE:
            shared = ",".join('"%s":%s' % (key, text) for key, text in texts.items() if key)
            found["at"] = self.write(('{"root":%s,"shared":{%s}}' % (texts[""], shared)).encode("ascii"))
            return found
        found["root"] = json.loads(texts.pop(""))
        if texts:
            found["shared"] = {key: json.loads(text) for key, text in texts.items()}
        return found


def attribute(name: str) -> str:
    """The step of an attribute in a path."""
    return "." + name


def made(
    encoder: Encoder,
    value: Any,
    items: List[Tuple[str, Any]],
    kind: str = "object",
    base: Any = None,
) -> Encoded:
    """A node with a class and attributes; ``base`` gives the encoded builtin under it, when there is one."""

    def build() -> Cell:
        name = quote(encoder.name(type(value)))
        before = Members("")
        canonical = kind + name
        if base is not None:
            before.parts = ['"base":']
            before.add(base(), "")
            before.parts.append(",")
            canonical += before.skeletons[0]
        body = encoder.named(items, attribute)
        if base is not None:
            body.parts = before.parts + body.parts
            body.weight += before.weight
            body.opaques += before.opaques
            body.where = (before.where + body.where)[:20]
        return encoder.close(kind, len(items), canonical + body.canonical, body, extra='"c":%s,' % name)

    return encoder.inside(value, build)
