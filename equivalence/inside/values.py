"""Any Python value becomes a typed JSON tree with a digest per subtree; plain trees become values again.

The encoder writes JSON text directly: a list of a million numbers is dumped once, and that text is digested.
Code of the value's own class is not run where it can be helped.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import hashlib
import json
import os
import sys
import sysconfig
import types
from json.encoder import encode_basestring_ascii as quote
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple, Union

INLINE = 64 * 1024
"""Characters of JSON; a longer tree goes to the spool file."""
MAX_NODES = 2000000
MAX_LEVELS = 1000
MAX_REVISITS = 10000
"""How often objects inside reference cycles are encoded again: unrolling a dense graph is exponential."""
HOIST = 64
"""JSON is cut into `shared` at every so many levels, for the recursion of the JSON parser."""
BIG_BITS = 13000
"""Integers beyond (about 3,900 digits) travel as hexadecimal: Python 3.11 refuses 4,300 decimal digits."""

_SCALARS = frozenset((type(None), bool, int, float, str))
_PLAIN = json.JSONEncoder(separators=(",", ":")).encode
_SORTED = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode
_mro = type.__dict__["__mro__"].__get__
_qualname = type.__dict__["__qualname__"].__get__
_module = type.__dict__["__module__"].__get__


class Spool(object):
    """One append-only file of binary pieces; empties the file when it is opened."""

    def __init__(self, path: Any) -> None:
        self._file = open(path, "wb")  # noqa: SIM115 - lives as long as the worker's run
        self._at = 0

    def write(self, data: bytes) -> List[int]:
        """Append ``data`` and give back ``[offset, length]``; the bytes are in the file when this returns."""
        self._file.write(data)
        self._file.flush()
        place = [self._at, len(data)]
        self._at += len(data)
        return place

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        self._file.close()


class Cell(object):
    """One encoded node that is more than a scalar."""

    __slots__ = ("opaques", "parts", "skeleton", "small", "uses", "weight", "where")

    def __init__(self, skeleton: str, parts: List[Any], weight: int) -> None:
        self.skeleton = skeleton  # what stands for this node in its parent's digest
        self.parts = parts  # JSON text, with the cells of large members in between
        self.weight = weight  # nodes, shared ones counted each time
        self.small = weight <= 8 and len(parts) == 1
        self.opaques = 0
        self.where = ()  # type: Tuple[Tuple[str, str], ...]
        self.uses = 1


class Refused(Exception):
    """A value that has no tree; the text is the ``why`` of its opaque node."""


Encoded = Union[str, Cell]


def digest_of(canonical: str) -> str:
    """32 hexadecimal digits for a canonical text."""
    return hashlib.blake2b(canonical.encode("ascii"), digest_size=16).hexdigest()


def has_surrogates(text: str) -> bool:
    """Whether ``text`` holds a lone surrogate: JSON would join two of them into one character."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def key_piece(key: Any) -> str:
    """How a member's key is written in a path: ``.name``, ``["any text"]`` or ``[1]``."""
    if type(key) is str:
        return (
            "." + key if key.isidentifier() else "[" + json.dumps(key, ensure_ascii=has_surrogates(key)) + "]"
        )
    return "[%s]" % ("..." if key is None else key)


def _library_folders() -> Tuple[str, ...]:
    paths = sysconfig.get_paths()
    found = {
        os.path.realpath(paths[name])
        for name in ("stdlib", "platstdlib", "purelib", "platlib")
        if name in paths
    }
    return tuple(folder + os.sep for folder in sorted(found))


_LIBRARY = _library_folders()


def class_name(cls: type) -> str:
    """``module:qualname`` for a class of a library, the bare qualname for one of the user's own code."""
    name = _qualname(cls)
    module_name = _module(cls)
    if type(module_name) is not str:
        return str(name)
    module = sys.modules.get(module_name)
    if module_name == "__main__" or module is None:
        return str(name)
    path = getattr(module, "__file__", None)
    if path is None:
        spec = getattr(module, "__spec__", None)
        library = module_name in sys.builtin_module_names or getattr(spec, "origin", None) in (
            "built-in",
            "frozen",
        )
    else:
        path = os.path.realpath(str(path))
        parts = path.split(os.sep)
        library = path.startswith(_LIBRARY) or "site-packages" in parts or "dist-packages" in parts
    return "%s:%s" % (module_name, name) if library else str(name)


class Encoder(object):
    """Encodes one value; not for use twice."""

    def __init__(self, spool: Optional[Spool]) -> None:
        self.spool = spool
        self.nodes = 0
        self.skews = {}  # type: Dict[str, int]
        self._handlers = dict(_handlers())  # type: Dict[type, Callable[[Encoder, Any], Encoded]]
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
                from . import objects

                handler = self._handlers[kind] = objects.handler_for(kind)
            return handler(self, value)
        except Refused as refusal:
            return self.opaque(kind, str(refusal))
        except Exception as error:
            return self.opaque(kind, "encoding raised %s" % _qualname(type(error)))

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

    def named(
        self, items: List[Tuple[str, Any]], piece: Callable[[str], str], opening: str = ""
    ) -> "Members":
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
        if self.spool is not None and length > INLINE:
            shared = ",".join('"%s":%s' % (key, text) for key, text in texts.items() if key)
            found["at"] = self.spool.write(
                ('{"root":%s,"shared":{%s}}' % (texts[""], shared)).encode("ascii")
            )
            return found
        found["root"] = json.loads(texts.pop(""))
        if texts:
            found["shared"] = {key: json.loads(text) for key, text in texts.items()}
        return found


class Members(object):
    """The members of one node while it is put together."""

    __slots__ = ("canonical", "opaques", "parts", "skeletons", "weight", "where", "_empty")

    def __init__(self, opening: str) -> None:
        self.parts = [opening]  # type: List[Any]
        self.skeletons = []  # type: List[str]
        self.canonical = ""
        self.weight = 0
        self.opaques = 0
        self.where = []  # type: List[Tuple[str, str]]
        self._empty = True

    def add(self, member: Encoded, piece: str, opening: str = "", between: str = ",") -> None:
        """Append one member; ``piece`` is its step in a path."""
        if self._empty:
            self._empty = False
        else:
            opening = between + opening
        if opening:
            self.parts.append(opening)
        if isinstance(member, str):
            self.parts.append(member)
            self.skeletons.append(member)
            self.weight += 1
            return
        if member.small:
            self.parts.append(member.parts[0])
        else:
            self.parts.append(member)
        self.skeletons.append(member.skeleton)
        self.weight += member.weight
        if member.opaques:
            self.opaques += member.opaques
            for path, why in member.where:
                if len(self.where) < 20:
                    self.where.append((piece + path if len(path) < 400 else piece + "..." + path[-400:], why))


def joined(parts: List[Any]) -> List[Any]:
    """The same parts with neighbouring texts made one."""
    found = []  # type: List[Any]
    texts = []  # type: List[str]
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
        else:
            found.append("".join(texts))
            found.append(part)
            texts = []
    found.append("".join(texts))
    return found


def skeleton_of(member: Encoded) -> str:
    """What stands for a member in the digest of its container."""
    return member if isinstance(member, str) else member.skeleton


def root_digest(skeleton: str) -> str:
    """The digest of a whole value, scalars included."""
    return skeleton[6:-2] if skeleton.startswith('{"d":') else digest_of("value " + skeleton)


def flatten(root: Cell) -> Dict[str, str]:
    """JSON texts by digest, the root's under ``""``: shared cells and every 64th level stand apart."""
    texts = {}  # type: Dict[str, str]
    seen = set()
    waiting = [("", root)]
    while waiting:
        name, top = waiting.pop()
        out = []  # type: List[str]
        stack = [iter(top.parts)]
        while stack:
            for part in stack[-1]:
                if isinstance(part, str):
                    out.append(part)
                    continue
                if part.uses > 1 or len(stack) >= HOIST:
                    digest = part.skeleton[6:-2]
                    mark = ',"o":%d' % part.opaques if part.opaques else ""
                    out.append('{"t":"ref","d":"%s"%s}' % (digest, mark))
                    if digest not in seen:
                        seen.add(digest)
                        waiting.append((digest, part))
                else:
                    stack.append(iter(part.parts))
                    break
            else:
                stack.pop()
        texts[name] = "".join(out)
    return texts


def scalars_text(members: Any) -> Optional[str]:
    """The JSON of a sequence of exact scalars, or None when JSON cannot carry a member."""
    kinds = set(map(type, members))
    if not kinds <= _SCALARS:
        return None
    if int in kinds:
        whole = members if len(kinds) == 1 else [member for member in members if type(member) is int]
        if max(max(whole), -min(whole)).bit_length() > BIG_BITS:
            return None
    text = _PLAIN(members)
    if "\\ud" in text and any(type(member) is str and has_surrogates(member) for member in members):
        return None
    return text


# -- exact builtins, by far the most frequent --


def _int(encoder: Encoder, value: int) -> str:
    if value.bit_length() > BIG_BITS:
        encoder.nodes += value.bit_length() // 8192
        return encoder.leaf("bigint", '"%s"' % hex(value))
    encoder.nodes += 1
    return int.__repr__(value)


def _float(encoder: Encoder, value: float) -> str:
    encoder.nodes += 1
    return _PLAIN(value)


def _str(encoder: Encoder, value: str) -> str:
    encoder.nodes += len(value) // 1024
    if not value.isascii() and has_surrogates(value):
        return encoder.leaf("str", '"%s"' % value.encode("utf-8", "surrogatepass").hex())
    encoder.nodes += 1
    return quote(value)


def _dict(encoder: Encoder, value: Dict[Any, Any]) -> Encoded:
    for key, member in value.items():
        if type(key) is not str or type(member) not in _SCALARS:
            break
    else:
        if len(value) <= 7:
            cell = _flat(encoder, value)
            if cell is not None:
                return cell
    return encoder.inside(value, lambda: _flat(encoder, value) or encoder.mapping(list(value.items())))


def _flat(encoder: Encoder, value: Dict[Any, Any]) -> Optional[Cell]:
    """A dict of str to scalars, the row of most results: dumped at once."""
    for key, member in value.items():
        if type(key) is not str or type(member) not in _SCALARS:
            return None
    try:
        text = _PLAIN(value)
    except ValueError:  # an integer beyond the interpreter's limit of digits
        return None
    if len(text) > 3800 and any(type(m) is int and m.bit_length() > BIG_BITS for m in value.values()):
        return None
    if "\\ud" in text and has_surrogates(
        "".join(value) + "".join(m for m in value.values() if type(m) is str)
    ):
        return None
    keys = list(value)
    canonical = text if keys == sorted(keys) else _SORTED(value)
    encoder.nodes += 1 + len(text) // 8192
    digest = digest_of("dict" + canonical)
    count = len(value)
    return Cell(
        '{"d":"%s"}' % digest, ['{"t":"dict","d":"%s","n":%d,"v":%s}' % (digest, count, text)], count + 1
    )


def _constant(text: str) -> Callable[[Encoder, Any], str]:
    def handler(encoder: Encoder, value: Any) -> str:
        encoder.nodes += 1
        return text

    return handler


def _sequence(kind: str) -> Callable[[Encoder, Any], Encoded]:
    return lambda encoder, value: encoder.inside(value, lambda: encoder.sequence(kind, value))


def _gathering(kind: str) -> Callable[[Encoder, Any], Encoded]:
    return lambda encoder, value: encoder.inside(value, lambda: encoder.gathering(kind, value))


def _bytes(kind: str) -> Callable[[Encoder, Any], str]:
    def handler(encoder: Encoder, value: Any) -> str:
        encoder.nodes += len(value) // 1024
        return encoder.leaf(kind, '"%s"' % base64.b64encode(value).decode("ascii"))

    return handler


def _written(kind: str, write: Callable[[Any], str]) -> Callable[[Encoder, Any], str]:
    return lambda encoder, value: encoder.leaf(kind, quote(write(value)))


def _handlers() -> Iterable[Tuple[type, Callable[[Encoder, Any], Encoded]]]:
    import collections
    import fractions
    import pathlib
    import uuid

    yield type(None), _constant("null")
    yield bool, lambda encoder, value: _constant("true" if value else "false")(encoder, value)
    yield int, _int
    yield float, _float
    yield str, _str
    yield dict, _dict
    yield list, _sequence("list")
    yield tuple, _sequence("tuple")
    yield collections.deque, _sequence_of_copy("deque")
    yield set, _gathering("set")
    yield frozenset, _gathering("frozenset")
    yield bytes, _bytes("bytes")
    yield bytearray, _bytes("bytearray")
    yield complex, lambda encoder, value: encoder.leaf("complex", _PLAIN([value.real, value.imag]))
    yield decimal.Decimal, _written("decimal", str)
    yield fractions.Fraction, _written("fraction", str)
    yield datetime.datetime, _written("datetime", datetime.datetime.isoformat)
    yield datetime.date, _written("date", datetime.date.isoformat)
    yield datetime.time, _written("time", datetime.time.isoformat)
    yield datetime.timedelta, lambda encoder, value: encoder.leaf("timedelta", _PLAIN(duration(value)))
    yield uuid.UUID, _written("uuid", str)
    for path in (pathlib.PosixPath, pathlib.WindowsPath, pathlib.PurePosixPath, pathlib.PureWindowsPath):
        yield path, _path
    yield range, lambda encoder, value: encoder.sequence("range", [value.start, value.stop, value.step])
    yield slice, lambda encoder, value: encoder.sequence("slice", [value.start, value.stop, value.step])
    yield type(Ellipsis), _constant('{"t":"ellipsis"}')
    yield type(NotImplemented), _constant('{"t":"notimplemented"}')
    yield types.BuiltinFunctionType, lambda encoder, value: encoder.opaque(type(value), "a function")


def _sequence_of_copy(kind: str) -> Callable[[Encoder, Any], Encoded]:
    return lambda encoder, value: encoder.inside(value, lambda: encoder.sequence(kind, list(value)))


def _path(encoder: Encoder, value: Any) -> str:
    text = value.as_posix()
    if has_surrogates(text):
        raise Refused("a path that is no text")
    return encoder.leaf("path", quote(text))


def duration(value: datetime.timedelta) -> List[int]:
    """Days, seconds, microseconds as the base class has them: subclasses give ``days`` another meaning."""
    base = datetime.timedelta
    return [
        base.days.__get__(value),
        base.seconds.__get__(value),
        base.microseconds.__get__(value),
    ]


def encode(value: Any, spool: Optional[Spool] = None) -> Dict[str, Any]:
    """The envelope of ``value``; large trees and columns go to ``spool`` when there is one."""
    before = sys.getrecursionlimit()
    depth = 0
    frame = sys._getframe()  # type: Optional[types.FrameType]
    while frame is not None:
        depth += 1
        frame = frame.f_back
    sys.setrecursionlimit(max(before, depth + MAX_LEVELS * 8 + 1000))
    try:
        return Encoder(spool).envelope(value)
    finally:
        sys.setrecursionlimit(before)


def decode(tree: Any, shared: Optional[Dict[str, Any]] = None) -> Any:
    """The value of a tree of plain data; raises ValueError on every other kind of node."""
    from . import plain

    return plain.decode(tree, shared or {})
