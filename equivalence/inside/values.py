"""Any Python value becomes a typed JSON tree with a digest per subtree; plain trees become values again.

The way in, and the exact builtins, by far the most frequent. Code of a value's own class is not run where it can be
helped.
"""

from __future__ import annotations

import base64
import collections
import datetime
import decimal
import fractions
import json
import pathlib
import sys
import types
import uuid
from json.encoder import encode_basestring_ascii as quote
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

from . import objects, plain
from .encoder import MAX_LEVELS, Encoder, Handler
from .nodes import BIG_BITS, SCALARS, Cell, Encoded, Refused, compact, digest_of, has_surrogates

_SORTED = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


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


def _int(encoder: Encoder, value: int) -> str:
    if value.bit_length() > BIG_BITS:
        encoder.nodes += value.bit_length() // 8192
        return encoder.leaf("bigint", '"%s"' % hex(value))
    encoder.nodes += 1
    return int.__repr__(value)


def _float(encoder: Encoder, value: float) -> str:
    encoder.nodes += 1
    return compact(value)


def _str(encoder: Encoder, value: str) -> str:
    encoder.nodes += len(value) // 1024
    if not value.isascii() and has_surrogates(value):
        return encoder.leaf("str", '"%s"' % value.encode("utf-8", "surrogatepass").hex())
    encoder.nodes += 1
    return quote(value)


def _dict(encoder: Encoder, value: Dict[Any, Any]) -> Encoded:
    for key, member in value.items():
        if type(key) is not str or type(member) not in SCALARS:
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
        if type(key) is not str or type(member) not in SCALARS:
            return None
    try:
        text = compact(value)
    except ValueError:  # an integer beyond the interpreter's limit of digits
        return None
    if len(text) > 3800 and any(type(m) is int and m.bit_length() > BIG_BITS for m in value.values()):
        return None
    if "\\ud" in text and has_surrogates("".join(value) + "".join(m for m in value.values() if type(m) is str)):
        return None
    keys = list(value)
    canonical = text if keys == sorted(keys) else _SORTED(value)
    encoder.nodes += 1 + len(text) // 8192
    digest = digest_of("dict" + canonical)
    count = len(value)
    return Cell('{"d":"%s"}' % digest, ['{"t":"dict","d":"%s","n":%d,"v":%s}' % (digest, count, text)], count + 1)


def _constant(text: str) -> Callable[[Encoder, Any], str]:
    def handler(encoder: Encoder, value: Any) -> str:
        encoder.nodes += 1
        return text

    return handler


def _sequence(kind: str) -> Handler:
    return lambda encoder, value: encoder.inside(value, lambda: encoder.sequence(kind, value))


def _gathering(kind: str) -> Handler:
    return lambda encoder, value: encoder.inside(value, lambda: encoder.gathering(kind, value))


def _bytes(kind: str) -> Callable[[Encoder, Any], str]:
    def handler(encoder: Encoder, value: Any) -> str:
        encoder.nodes += len(value) // 1024
        return encoder.leaf(kind, '"%s"' % base64.b64encode(value).decode("ascii"))

    return handler


def _written(kind: str, write: Callable[[Any], str]) -> Callable[[Encoder, Any], str]:
    return lambda encoder, value: encoder.leaf(kind, quote(write(value)))


def _handlers() -> Iterable[Tuple[type, Handler]]:
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
    yield complex, lambda encoder, value: encoder.leaf("complex", compact([value.real, value.imag]))
    yield decimal.Decimal, _written("decimal", str)
    yield fractions.Fraction, _written("fraction", str)
    yield datetime.datetime, _written("datetime", datetime.datetime.isoformat)
    yield datetime.date, _written("date", datetime.date.isoformat)
    yield datetime.time, _written("time", datetime.time.isoformat)
    yield datetime.timedelta, lambda encoder, value: encoder.leaf("timedelta", compact(objects.duration(value)))
    yield uuid.UUID, _written("uuid", str)
    for path in (pathlib.PosixPath, pathlib.WindowsPath, pathlib.PurePosixPath, pathlib.PureWindowsPath):
        yield path, _path
    yield range, lambda encoder, value: encoder.sequence("range", [value.start, value.stop, value.step])
    yield slice, lambda encoder, value: encoder.sequence("slice", [value.start, value.stop, value.step])
    yield type(Ellipsis), _constant('{"t":"ellipsis"}')
    yield type(NotImplemented), _constant('{"t":"notimplemented"}')
    yield types.BuiltinFunctionType, lambda encoder, value: encoder.opaque(type(value), "a function")


def _sequence_of_copy(kind: str) -> Handler:
    return lambda encoder, value: encoder.inside(value, lambda: encoder.sequence(kind, list(value)))


def _path(encoder: Encoder, value: Any) -> str:
    text = value.as_posix()
    if has_surrogates(text):
        raise Refused("a path that is no text")
    return encoder.leaf("path", quote(text))


_HANDLERS = dict(_handlers())  # type: Dict[type, Handler]


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
        return Encoder(_HANDLERS, objects.handler_for, None if spool is None else spool.write).envelope(value)
    finally:
        sys.setrecursionlimit(before)


def decode(tree: Any, shared: Optional[Dict[str, Any]] = None) -> Any:
    """The value of a tree of plain data; raises ValueError on every other kind of node."""
    return plain.decode(tree, shared or {})
