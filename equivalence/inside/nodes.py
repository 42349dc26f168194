"""The JSON text of nodes: what is put together by the encoder, with digests, and cut where it is shared or deep.

A scalar is its text; everything else is a cell, whose text keeps large members apart so that they are written once.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Dict, List, Optional, Tuple, Union  # noqa: F401 - named in a type comment

HOIST = 64
"""JSON is cut into `shared` at every so many levels, for the recursion of the JSON parser."""
BIG_BITS = 13000
"""Integers beyond (about 3,900 digits) travel as hexadecimal: Python 3.11 refuses 4,300 decimal digits."""

SCALARS = frozenset((type(None), bool, int, float, str))
compact = json.JSONEncoder(separators=(",", ":")).encode


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
        return "." + key if key.isidentifier() else "[" + json.dumps(key, ensure_ascii=has_surrogates(key)) + "]"
    return "[%s]" % ("..." if key is None else key)


class Members(object):
    """The members of one node while it is put together."""

    __slots__ = ("_empty", "canonical", "opaques", "parts", "skeletons", "weight", "where")

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
    if not kinds <= SCALARS:
        return None
    if int in kinds:
        whole = members if len(kinds) == 1 else [member for member in members if type(member) is int]
        if max(max(whole), -min(whole)).bit_length() > BIG_BITS:
            return None
    text = compact(members)
    if "\\ud" in text and any(type(member) is str and has_surrogates(member) for member in members):
        return None
    return text
