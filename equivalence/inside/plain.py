"""From trees of plain data back to Python values: how parameters reach a flow."""

from __future__ import annotations

import base64
import collections
import datetime
import decimal
import fractions
import pathlib
import uuid
from typing import Any, Callable, Dict, List  # noqa: F401 - named in a type comment

MAX_NODES = 2000000


def decode(tree: Any, shared: Dict[str, Any]) -> Any:
    """The value of ``tree``; every reference becomes an object of its own. Raises ValueError."""
    return _Decoder(shared).value(tree)


class _Decoder(object):
    def __init__(self, shared: Dict[str, Any]) -> None:
        self._shared = shared
        self._nodes = 0

    def value(self, tree: Any) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise ValueError("the tree holds more than %d nodes" % MAX_NODES)
        if not isinstance(tree, dict):
            if isinstance(tree, list):
                raise ValueError("a bare list is no tree")
            return tree
        kind = tree.get("t")
        if kind == "ref":
            return self.value(self._shared[tree["d"]])
        if kind in _MANY:
            return _MANY[kind](self._members(tree["v"]))
        if kind == "dict":
            if "v" in tree:
                return {key: self.value(member) for key, member in tree["v"].items()}
            return {self.value(key): self.value(member) for key, member in tree["items"]}
        if kind in _LEAVES:
            return _LEAVES[kind](tree["v"])
        raise ValueError("%r is no plain data" % (kind,))

    def _members(self, members: List[Any]) -> List[Any]:
        return [self.value(member) for member in members]


_MANY = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "deque": collections.deque,
    "range": lambda members: range(*members),
    "slice": lambda members: slice(*members),
}  # type: Dict[str, Callable[[List[Any]], Any]]

_LEAVES = {
    "str": lambda v: bytes.fromhex(v).decode("utf-8", "surrogatepass"),
    "bytes": base64.b64decode,
    "bytearray": lambda v: bytearray(base64.b64decode(v)),
    "complex": lambda v: complex(v[0], v[1]),
    "bigint": lambda v: int(v, 16),
    "decimal": decimal.Decimal,
    "fraction": fractions.Fraction,
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "timedelta": lambda v: datetime.timedelta(v[0], v[1], v[2]),
    "uuid": uuid.UUID,
    "path": pathlib.Path,
}  # type: Dict[str, Callable[[Any], Any]]
