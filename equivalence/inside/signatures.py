"""Signatures as data: the parameters of a flow, their types, defaults, and types like the default."""

from __future__ import annotations

import datetime
import enum
import inspect
import pathlib
import re
import types
import typing
from typing import Any, Dict, List, Sequence

from . import values
from .annotations import (
    CONTAINERS,
    PLAIN,
    Description,
    constrain,
    describe_annotation,
    field_default,
    is_field,
    union_of,
    unknown,
)


def describe_signature(fn: Any) -> List[Description]:
    """The parameters of a Prefect 2 flow function, in order; `default` is an envelope or None."""
    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):
        return []
    described = []
    for parameter in parameters:
        annotation = _resolve(fn, parameter.name, parameter.annotation)
        kind = describe_annotation(annotation)
        default, has_default = parameter.default, parameter.default is not parameter.empty
        if is_field(default):
            kind = constrain(kind, [default], annotation)
            default, has_default = field_default(default)
        described.append(_described(parameter.name, default, has_default, not has_default, parameter.kind, kind))
    return described


def describe_parameter(
    name: str, default: Any, required: bool, annotations_of_consumers: Sequence[Any] = ()
) -> Description:
    """A Prefect 1 Parameter has no type of its own: its default and the tasks that take it have to tell.

    Prefect 1.4.1 stores None for "no default"; a required one with None is taken to have none.
    """
    has_default = not (required and default is None)
    like = describe_value(default) if has_default else {"type": "any"}
    kind = like
    for annotation in annotations_of_consumers:
        consumed = describe_annotation(annotation)
        if consumed["type"] not in ("any", "unknown") and _agrees(consumed, like):
            kind = consumed
            break
    described = _described(name, default, has_default, required, inspect.Parameter.KEYWORD_ONLY, kind)
    described["like"] = like
    return described


def _described(
    name: str, default: Any, has_default: bool, required: bool, kind: Any, description: Description
) -> Description:
    return {
        "name": name,
        "required": bool(required),
        "has_default": has_default,
        "default": values.encode(default) if has_default else None,
        "kind": kind.name.lower(),
        "type": description,
        "like": describe_value(default) if has_default else {"type": "any"},
    }


def _agrees(consumed: Description, like: Description) -> bool:
    """Whether a default of this type can be meant for a task annotated like that."""
    if like["type"] in ("any", "none", "unknown"):
        return True
    if consumed["type"] == "union":
        return any(_agrees(option, like) for option in consumed["options"])
    if consumed["type"] in ("literal", "enum"):
        return True
    return bool(consumed["type"] == like["type"] or (consumed["type"], like["type"]) == ("dict", "model"))


# ------------------------------------------------------------------------------------ resolving annotations


def _resolve(fn: Any, name: str, annotation: Any) -> Any:
    """An annotation with its strings looked up; one that does not resolve stays as it is."""
    if annotation is inspect.Parameter.empty:
        return Any
    return _resolve_in(annotation, getattr(_unwrap(fn), "__globals__", {}), _closure(fn), name)


def _resolve_in(annotation: Any, names: Dict[str, Any], local: Dict[str, Any], name: str = "x") -> Any:
    # A stand-in without defaults: before Python 3.11 get_type_hints makes `x: int = None` an Optional.
    holder = types.SimpleNamespace(__annotations__={name: annotation})
    try:
        try:
            return typing.get_type_hints(holder, names, local, include_extras=True)[name]
        except TypeError:
            return typing.get_type_hints(holder, names, local)[name]
    except Exception:
        return annotation


def _unwrap(fn: Any) -> Any:
    try:
        return inspect.unwrap(fn)
    except ValueError:
        return fn


def _closure(fn: Any) -> Dict[str, Any]:
    """Names of the enclosing functions: a flow made by a factory may be annotated with a class of it."""
    try:
        return dict(inspect.getclosurevars(_unwrap(fn)).nonlocals)
    except (TypeError, ValueError):
        return {}


# ---------------------------------------------------------------------------------- values as an example


_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_WHOLE = re.compile(r"-?\d{1,18}\Z")


def describe_value(value: Any) -> Description:
    """The type of values like this one. None tells nothing of others; an empty list takes any items.

    A text that reads as a date, a moment or a number is marked with `reads`; a mapping keeps its keys.
    """
    try:
        return _like(value, 0)
    except Exception:
        return unknown(type(value))


def _like(value: Any, depth: int) -> Description:
    kind = type(value)
    if depth > 20:
        return {"type": "any"}
    if isinstance(value, enum.Enum):
        return describe_annotation(kind)
    if kind is str:
        for name, pattern in (("date", _DATE), ("datetime", _MOMENT), ("int", _WHOLE)):
            if pattern.match(value):
                return {"type": "str", "reads": name}
        return {"type": "str"}
    if isinstance(value, datetime.datetime):  # pendulum's as well
        return {"type": "datetime", "aware": value.utcoffset() is not None}
    if kind in PLAIN:
        return {"type": PLAIN[kind]}
    for base in (datetime.date, datetime.time, datetime.timedelta, pathlib.PurePath):
        if isinstance(value, base):
            return {"type": PLAIN[base]}
    if kind in (list, set, frozenset, tuple):
        items = union_of([_like(item, depth + 1) for item in list(value)[:100]]) if value else {"type": "any"}
        return {"type": "tuple_of" if kind is tuple else CONTAINERS[kind], "items": items}
    if isinstance(value, dict):
        if value and len(value) <= 100 and all(type(key) is str for key in value):
            fields = {key: {"type": _like(item, depth + 1), "required": True} for key, item in value.items()}
            return {"type": "model", "class": "dict", "fields": fields}
        if not value:
            return {"type": "dict", "keys": {"type": "str"}, "values": {"type": "any"}}
        pairs = list(value.items())[:100]
        keys, held = (
            union_of([_like(key, depth + 1) for key, _ in pairs]),
            union_of([_like(v, depth + 1) for _, v in pairs]),
        )
        return {"type": "dict", "keys": keys, "values": held}
    return unknown(kind)
