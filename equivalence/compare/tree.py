"""A value as a worker sent it: the digest at once, the typed tree when somebody asks for it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Tree: TypeAlias = Any
"""None, bool, int, float, str, or a JSON object with its type under ``t`` (`equivalence.inside.values`)."""

_REPRS = frozenset((int, float, bool, type(None)))
_CHUNK = 1024


@dataclass(frozen=True, slots=True)
class Value:
    """One encoded value. Two values with equal digests and no opaque nodes are equal."""

    digest: str
    nodes: int
    opaques: int = 0
    opaque: tuple[tuple[str, str], ...] = ()
    skews: Mapping[str, int] = field(default_factory=dict)
    data: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    at: tuple[int, int] | None = field(default=None, compare=False, repr=False)
    load: Callable[[int, int], bytes] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def from_envelope(cls, envelope: Mapping[str, Any], spool: Callable[[int, int], bytes] | None = None) -> Value:
        """A value from what the encoder made; ``spool`` reads bytes by offset and length."""
        at = envelope.get("at")
        return cls(
            digest=envelope["digest"],
            nodes=envelope["nodes"],
            opaques=envelope["opaques"],
            opaque=tuple((entry["path"], entry["why"]) for entry in envelope["opaque"]),
            skews=dict(envelope["skews"]),
            data=None if at else {"root": envelope["root"], "shared": envelope.get("shared", {})},
            at=(at[0], at[1]) if at else None,
            load=spool,
        )

    def both(self) -> tuple[Tree, dict[str, Tree]]:
        """The tree and the nodes it refers to by digest, parsed each time when in the spool file."""
        if self.at is not None:
            found = json.loads(self.read(*self.at))
            return found["root"], found["shared"]
        data = self.data or {}
        return data.get("root"), dict(data.get("shared", {}))

    def root(self) -> Tree:
        """The tree; parsed each time when it is in the spool file."""
        return self.both()[0]

    @property
    def sort(self) -> str:
        """What sort of value it is, see `sort`; a large one is only that."""
        return "large" if self.at is not None else sort(self.root())

    def shared(self) -> dict[str, Tree]:
        """Nodes that the tree refers to by digest."""
        return self.both()[1]

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the spool file. Raises LookupError when the value came without one."""
        if self.load is None:
            raise LookupError("the value is in a spool file, and none was given")
        return self.load(offset, length)


def kind(tree: Tree) -> str:
    """The type of a node: the name of the scalar, or what is under ``t``."""
    return str(tree["t"]) if isinstance(tree, dict) else type(tree).__name__


def sort(tree: Tree, depth: int = 2) -> str:
    """A value without what makes it one of many: its type, its sign or emptiness, and so its first members."""
    if isinstance(tree, (int, float)):
        sign = "nan" if tree != tree else (tree > 0) - (tree < 0)
        return f"{type(tree).__name__} {sign}"
    if isinstance(tree, str):
        return "str" if tree else "empty str"
    members = tree.get("v") if isinstance(tree, dict) else None
    if depth == 0 or not isinstance(members, (dict, list)):
        return kind(tree)
    inner = [(str(key), sort(member, depth - 1)) for key, member in _first_members(members)]
    return f"{kind(tree)} {min(len(members), 2)} {inner}"


def _first_members(members: dict[str, Tree] | list[Tree]) -> list[tuple[str, Tree]]:
    """The members of a dict by key, up to ten; of a list the first alone."""
    return list(members.items())[:10] if isinstance(members, dict) else [("", member) for member in members[:1]]


def same_scalar(one: object, other: object) -> bool:
    """Equal with the types kept apart: NaN is NaN, 0.0 is not -0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float) and isinstance(other, float):
        if one != one:
            return other != other
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    return one == other


def signature(tree: Tree) -> str:
    """A text that two trees share exactly when they are equal (opaque ones apart)."""
    if isinstance(tree, dict):
        digest = tree.get("d")
        return "d" + digest if digest is not None else json.dumps(tree, sort_keys=True)
    return "s" + tree if isinstance(tree, str) else repr(tree)  # 1, 1.0, True, nan, -0.0: all different texts


def signatures(trees: Sequence[Tree]) -> list[str]:
    """The signature of each; quick on long lists of numbers."""
    if set(map(type, trees)) <= _REPRS:
        return list(map(repr, trees))
    return list(map(signature, trees))


def opaque_inside(tree: Tree) -> bool:
    """Whether the node is opaque or holds one that is."""
    return isinstance(tree, dict) and (tree["t"] == "opaque" or bool(tree.get("o")))


def same(one: Tree, other: Tree) -> bool:
    """Whether two trees are equal; nothing opaque ever is."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return not isinstance(one, dict) and not isinstance(other, dict) and same_scalar(one, other)
    if opaque_inside(one) or opaque_inside(other):
        return False
    return signature(one) == signature(other)


def unequal(one: Sequence[Tree], other: Sequence[Tree]) -> list[int]:
    """Where two sequences of the same length differ, opaque members included; quick on long ones."""
    types = list(map(type, one))
    kinds = set(types)
    if dict in kinds or types != list(map(type, other)):
        return _unequal(one, other, 0)
    zeros = float in kinds  # equal for Python, whatever their sign
    found: list[int] = []
    for at in range(0, len(one), _CHUNK):
        first, second = one[at : at + _CHUNK], other[at : at + _CHUNK]
        if first != second or (zeros and 0.0 in first):
            found += _unequal(first, second, at)
    return found


def _unequal(one: Sequence[Tree], other: Sequence[Tree], start: int) -> list[int]:
    found = []
    for index, (a, b) in enumerate(zip(one, other, strict=True), start):
        if a.__class__ is not b.__class__:
            found.append(index)
        elif a.__class__ is dict:
            digest = a.get("d")
            if (digest is None or digest != b.get("d") or "o" in a or "o" in b) and not same(a, b):
                found.append(index)
        elif a != b:
            if a == a or b == b:
                found.append(index)
        elif a == 0 and not same_scalar(a, b):
            found.append(index)
    return found
