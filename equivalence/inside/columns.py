"""Columns of values: dtype, digests of blocks, data in the spool; from arrays of numpy and from any values.

numpy is not imported: what arrives here has it loaded already.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from json.encoder import encode_basestring_ascii as quote
from typing import Any, List, Tuple

from .encoder import Encoder
from .nodes import Cell, Members, digest_of, skeleton_of

BLOCK = 8192
"""Values of a column in one block."""

CODES = {
    "i": {1: "b", 2: "h", 4: "i", 8: "q"},
    "u": {1: "B", 2: "H", 4: "I", 8: "Q"},
    "f": {2: "e", 4: "f", 8: "d"},
}
_MEMBER_LIMIT = 10000


class Column(object):
    """One encoded column: its JSON, its digest, and the opaque members in it."""

    def __init__(self, text: str, digest: str, opaques: int, where: List[Tuple[str, str]]) -> None:
        self.text = text
        self.digest = digest
        self.opaques = opaques
        self.where = where


def raw_column(encoder: Encoder, data: Any, dtype: str, code: str) -> Column:
    """A column from a contiguous one-dimensional numpy array of ``code`` items."""
    np = sys.modules["numpy"]
    if code in "efd" and data.size and np.isnan(data).any():
        data = np.where(np.isnan(data), data.dtype.type("nan"), data)  # one bit pattern for every NaN
    data = np.ascontiguousarray(data.astype(data.dtype.newbyteorder("<"), copy=False))
    view = memoryview(data).cast("B") if data.size else memoryview(b"")
    step = BLOCK * data.dtype.itemsize
    pieces = [view[at : at + step] for at in range(0, len(view), step)]
    digests = [hashlib.blake2b(piece, digest_size=16).hexdigest() for piece in pieces]
    return _column(encoder, pieces, digests, len(data), dtype, "raw:" + code, 0, [])


def json_column(encoder: Encoder, members: Any, dtype: str) -> Column:
    """A column from any values."""
    pieces = []
    digests = []  # of skeletons: the order of a dict's keys does not count
    opaques = 0
    where = []  # type: List[Tuple[str, str]]
    for at in range(0, len(members), BLOCK):
        texts = []
        skeletons = []
        for index, member in enumerate(members[at : at + BLOCK], at):
            encoded = encoder.node(member)
            if isinstance(encoded, Cell):
                if encoded.weight > _MEMBER_LIMIT:
                    encoded = encoder.opaque(type(member), "too large for a member of a column")
                if encoded.opaques:
                    opaques += encoded.opaques
                    where += [("[%d]%s" % (index, path), why) for path, why in encoded.where][: 20 - len(where)]
                texts.append(whole(encoded))
            else:
                texts.append(encoded)
            skeletons.append(skeleton_of(encoded))
        digests.append(digest_of(",".join(skeletons)))
        pieces.append(memoryview(("[" + ",".join(texts) + "]").encode("ascii")))
    return _column(encoder, pieces, digests, len(members), dtype, "json", opaques, where)


def whole(cell: Cell) -> str:
    """The JSON of a small cell, with nothing left out: blocks stand alone."""
    out = []
    stack = [(iter(cell.parts))]
    while stack:
        for part in stack[-1]:
            if isinstance(part, str):
                out.append(part)
            else:
                stack.append(iter(part.parts))
                break
        else:
            stack.pop()
    return "".join(out)


def _column(
    encoder: Encoder,
    pieces: List[Any],
    digests: List[str],
    count: int,
    dtype: str,
    how: str,
    opaques: int,
    where: List[Tuple[str, str]],
) -> Column:
    digest = digest_of("column" + quote(dtype) + how + "".join(digests))
    encoder.nodes += 1 + count // 1024
    found = {"dtype": dtype, "n": count, "d": digest, "size": BLOCK, "blocks": digests, "how": how}
    if opaques:
        found["o"] = opaques
    if encoder.write is None:
        found["data"] = [base64.b64encode(piece).decode("ascii") for piece in pieces]
    elif pieces:
        start, _ = encoder.write(b"".join(pieces))
        places = []
        for piece in pieces:
            places.append([start, len(piece)])
            start += len(piece)
        found["at"] = places
    else:
        found["at"] = []
    return Column(json.dumps(found, separators=(",", ":")), digest, opaques, where)


def numpy_column(encoder: Encoder, data: Any) -> Column:
    """A column from a one-dimensional numpy array of any dtype."""
    dtype = data.dtype
    kind = dtype.kind
    code = CODES.get(kind, {}).get(dtype.itemsize)
    if code is not None:
        return raw_column(encoder, data, dtype.name, code)
    if kind == "b":
        return raw_column(encoder, data, "bool", "?")
    if kind in "mM":
        return raw_column(encoder, data.view("i8") if dtype.isnative else data.astype("=i8"), dtype.name, "q")
    if kind == "O":
        return json_column(encoder, data.tolist(), "object")
    if kind == "g" or dtype.name in ("longdouble", "float128", "clongdouble", "complex256"):
        return json_column(encoder, [str(member) for member in data], dtype.name)
    if kind == "U":
        return json_column(encoder, data.tolist(), "str")
    return json_column(encoder, data.tolist(), "bytes" if kind == "S" else str(dtype) if dtype.names else dtype.name)


def node(
    encoder: Encoder,
    kind: str,
    count: int,
    extra: str,
    canonical: str,
    columns: List[Tuple[str, str, Column]],
) -> Cell:
    """The node of columns, each ``(JSON before it, step of its path, column)``."""
    body = Members("")
    for before, piece, column in columns:
        body.parts.append(before)
        body.parts.append(column.text)
        body.opaques += column.opaques
        body.where += [(piece + path, why) for path, why in column.where][: 20 - len(body.where)]
    body.weight = 9  # large enough to be shared when it comes again
    return encoder.close(kind, count, kind + canonical, body, extra)
