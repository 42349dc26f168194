"""How values of classes other than the exact builtins are encoded: found once per class from its bases."""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import enum
import fractions
import functools
import hashlib
import pathlib
import re
import types
import uuid
from json.encoder import encode_basestring_ascii as quote
from typing import Any, Callable, List, Optional, Tuple

from . import frames
from .classes import attributes, class_name, module_of, mro_of, own_dict, qualname_of, rest
from .encoder import Encoder, Handler, attribute, made
from .nodes import Cell, Encoded, Members, Refused, compact, skeleton_of

_OPAQUE = (
    (types.FunctionType, "a function"),
    (types.MethodType, "a method"),
    (types.BuiltinFunctionType, "a function"),
    (type(str.join), "a function"),
    (type(object.__init__), "a function"),
    (functools.partial, "a partial function"),
    (types.ModuleType, "a module"),
    (types.GeneratorType, "a generator"),
    (types.AsyncGeneratorType, "a generator"),
    (types.CoroutineType, "a coroutine"),
    (types.FrameType, "a frame"),
    (types.TracebackType, "a traceback"),
    (types.CodeType, "code"),
    (property, "a property"),
    (staticmethod, "a function"),
    (classmethod, "a function"),
    (memoryview, "a view of memory"),
)

_BASES = (
    (dict, lambda value: dict(dict.items(value))),
    (list, lambda value: list(list.__iter__(value))),
    (tuple, lambda value: tuple(tuple.__iter__(value))),
    (set, lambda value: set(set.__iter__(value))),
    (frozenset, lambda value: frozenset(frozenset.__iter__(value))),
    (collections.deque, lambda value: collections.deque(collections.deque.__iter__(value))),
    (str, str.__str__),
    (int, lambda value: int.__add__(value, 0)),
    (float, lambda value: float.__mul__(value, 1.0)),
    (complex, lambda value: complex.__mul__(value, 1 + 0j)),
    (bytes, lambda value: bytes(memoryview(value))),
    (bytearray, lambda value: bytearray(memoryview(value))),
    (decimal.Decimal, lambda value: decimal.Decimal(decimal.Decimal.__str__(value))),
    (fractions.Fraction, lambda value: fractions.Fraction(value.numerator, value.denominator)),
    (uuid.UUID, lambda value: uuid.UUID(int=value.int)),
)  # type: Tuple[Tuple[type, Callable[[Any], Any]], ...]

_KNOWN = (object, types.SimpleNamespace, BaseException, datetime.tzinfo)
_HEAP = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement, or by C code of the newer kind


def handler_for(cls: type) -> Handler:
    """The way to encode instances of ``cls``."""
    mro = mro_of(cls)
    tops = set()
    for base in mro:
        module = module_of(base)
        tops.add(module.split(".")[0] if type(module) is str else "")
    for base, why in _OPAQUE:
        if base in mro:
            return _refuse(why)
    if enum.Enum in mro:
        return _enum
    if type in mro:
        return lambda encoder, value: encoder_class(encoder, value)
    if BaseException in mro:
        return _exception
    if tops & {"numpy", "pandas", "polars"}:
        in_frames = frames.handler_for(cls, mro)
        if in_frames is not None:
            return in_frames
    if any(qualname_of(base) == "BaseModel" and str(module_of(base)).split(".")[0] == "pydantic" for base in mro):
        return _model
    if "pydantic" in tops and qualname_of(cls) in ("SecretStr", "SecretBytes"):
        return _secret
    if "pendulum" in tops and str(module_of(cls)).startswith("pendulum"):
        found = _pendulum(cls, mro)
        if found is not None:
            return found
    if tops & {"prefect", "box"}:
        if dict in mro:
            return _counted("prefect-collection", lambda value: dict(dict.items(value)))
        if list in mro:
            return _counted("prefect-collection", lambda value: list(list.__iter__(value)))
        if qualname_of(cls) == "DotDict":
            return _counted("prefect-collection", lambda value: dict(own_dict(value)))
    if tuple in mro and _named_fields(mro) is not None:
        return _namedtuple
    if datetime.datetime in mro:
        return _moment("datetime", datetime.datetime.isoformat)
    if datetime.date in mro:
        return _moment("date", datetime.date.isoformat)
    if datetime.time in mro:
        return _moment("time", datetime.time.isoformat)
    if datetime.timedelta in mro:
        return _based(lambda encoder, value: encoder.leaf("timedelta", compact(duration(value))))
    for base, plain in _BASES:
        if base in mro:
            return _of_builtin(plain, ordered=collections.OrderedDict in mro)
    if any(base is not object and base in mro for base in (pathlib.PurePath,)):
        return _based(lambda encoder, value: encoder.leaf("path", quote(pathlib.PurePath.as_posix(value))))
    if re.Pattern in mro if hasattr(re, "Pattern") else False:
        return _regex
    if array.array in mro:
        return lambda encoder, value: made(encoder, value, [("typecode", value.typecode), ("values", value.tolist())])
    if datetime.tzinfo in mro and ":" in class_name(cls):
        return _timezone
    for base in mro:
        if base not in _KNOWN and not base.__flags__ & _HEAP:
            return _refuse("an object of a C type")
    return _plain_object


def _timezone(encoder: Encoder, value: Any) -> Encoded:
    name = getattr(value, "name", None) or getattr(value, "key", None) or getattr(value, "zone", None)
    return encoder.leaf("timezone", quote(name if type(name) is str else str(value)))


def encoder_class(encoder: Encoder, value: type) -> str:
    """A class is told by its name."""
    encoder.nodes += 1
    return '{"t":"class","c":%s}' % quote(encoder.name(value))


def _refuse(why: str) -> Handler:
    def handler(encoder: Encoder, value: Any) -> Encoded:
        raise Refused(why)

    return handler


def _counted(rule: str, plain: Callable[[Any], Any]) -> Handler:
    """Encoded as the builtin it holds, and counted under a rule."""

    def handler(encoder: Encoder, value: Any) -> Encoded:
        encoder.skew(rule)

        def build() -> Cell:
            inner = plain(value)
            if type(inner) is dict:
                return encoder.mapping(list(inner.items()))
            return encoder.sequence("list", inner)

        return encoder.inside(value, build)

    return handler


def _plain_object(encoder: Encoder, value: Any) -> Encoded:
    return made(encoder, value, attributes(value))


def _based(write: Callable[[Encoder, Any], Encoded]) -> Handler:
    return lambda encoder, value: made(encoder, value, rest(value), base=lambda: write(encoder, value))


def _moment(kind: str, write: Callable[[Any], str]) -> Handler:
    return _based(lambda encoder, value: encoder.leaf(kind, quote(write(value))))


def _of_builtin(plain: Callable[[Any], Any], ordered: bool) -> Handler:
    """A subclass of a builtin: what the builtin holds, and attributes; an OrderedDict has its order."""

    def handler(encoder: Encoder, value: Any) -> Encoded:
        inner = plain(value)
        items = rest(value)
        if ordered:
            items = [("(order)", list(inner))] + items
        return made(encoder, value, items, base=lambda: encoder.node(inner))

    return handler


def _named_fields(mro: Tuple[type, ...]) -> Any:
    for base in mro:
        fields = base.__dict__.get("_fields")
        if fields is not None:
            return fields if type(fields) is tuple and all(type(name) is str for name in fields) else None
    return None


def _namedtuple(encoder: Encoder, value: Any) -> Encoded:
    fields = _named_fields(mro_of(type(value)))
    members = list(tuple.__iter__(value))
    if len(fields) != len(members):
        raise Refused("a namedtuple whose fields do not fit")
    return made(encoder, value, list(zip(fields, members)) + rest(value), kind="namedtuple")


def _enum(encoder: Encoder, value: Any) -> Encoded:
    own = own_dict(value)
    name, inner = own.get("_name_"), own.get("_value_")
    if type(name) is not str or "|" in name:  # flags put together have a name from Python 3.11 on only
        name = None

    def build() -> Cell:
        cls = quote(encoder.name(type(value)))
        member = encoder.node(inner)
        body = Members('"v":')
        body.add(member, ".value")
        key = "null" if name is None else quote(name)
        canonical = "enum%s%s%s" % (cls, key, skeleton_of(member))
        return encoder.close("enum", 1, canonical, body, extra='"c":%s,"k":%s,' % (cls, key))

    return encoder.inside(value, build)


def _exception(encoder: Encoder, value: Any) -> Encoded:
    try:
        message = str(value)
    except Exception:
        message = None
    args = BaseException.args.__get__(value)  # type: ignore[attr-defined]

    def build() -> Cell:
        cls = quote(encoder.name(type(value)))
        said = encoder.node(message)
        before = Members('"message":')
        before.add(said, ".message")
        before.parts.append(',"args":[')
        before._empty = True
        skeletons = []
        for index, member in enumerate(args):
            encoded = encoder.node(member)
            skeletons.append(skeleton_of(encoded))
            before.add(encoded, ".args[%d]" % index)
        before.parts.append("],")
        body = encoder.named(rest(value), attribute)
        canonical = "exception%s%s[%s]%s" % (cls, skeleton_of(said), ",".join(skeletons), body.canonical)
        body.parts = before.parts + body.parts
        body.weight += before.weight
        body.opaques += before.opaques
        body.where = (before.where + body.where)[:20]
        return encoder.close("exception", len(args), canonical, body, extra='"c":%s,' % cls)

    return encoder.inside(value, build)


def _model(encoder: Encoder, value: Any) -> Encoded:
    """A pydantic model of either generation: its fields, and extra ones."""
    items = list(own_dict(value).items())
    for base in mro_of(type(value)):
        extra = base.__dict__.get("__pydantic_extra__")
        if type(extra) is types.MemberDescriptorType:
            found = extra.__get__(value)
            if type(found) is dict:
                items += list(found.items())
    return made(encoder, value, items, kind="model")


def _secret(encoder: Encoder, value: Any) -> Encoded:
    """A secret is told by a digest: it must not appear in a report."""
    raw = own_dict(value).get("_secret_value")
    if raw is None:
        raise Refused("a secret that cannot be seen")
    data = raw.encode("utf-8", "surrogatepass") if type(raw) is str else bytes(raw)
    return made(encoder, value, [("digest", hashlib.blake2b(data, digest_size=16).hexdigest())])


def _pendulum(cls: type, mro: Tuple[type, ...]) -> Optional[Handler]:
    """The classes of pendulum that stand for one of the standard library's."""
    rule = "pendulum-datetime"
    name = qualname_of(cls)

    def counted(kind: str, write: Callable[[Any], str]) -> Handler:
        def handler(encoder: Encoder, value: Any) -> Encoded:
            encoder.skew(rule)
            return encoder.leaf(kind, write(value))

        return handler

    if name == "DateTime" and datetime.datetime in mro:
        return counted("datetime", lambda value: quote(datetime.datetime.isoformat(value)))
    if name == "Date" and datetime.date in mro:
        return counted("date", lambda value: quote(datetime.date.isoformat(value)))
    if name == "Time" and datetime.time in mro:
        return counted("time", lambda value: quote(datetime.time.isoformat(value)))
    if name == "Duration" and datetime.timedelta in mro:
        return counted("timedelta", lambda value: compact(duration(value)))
    return None


def _regex(encoder: Encoder, value: Any) -> Encoded:
    return encoder.inside(value, lambda: encoder.sequence("regex", [value.pattern, value.flags]))


def duration(value: datetime.timedelta) -> List[int]:
    """Days, seconds, microseconds as the base class has them: subclasses give ``days`` another meaning."""
    base = datetime.timedelta
    return [
        base.days.__get__(value),
        base.seconds.__get__(value),
        base.microseconds.__get__(value),
    ]
