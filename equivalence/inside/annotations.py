"""Annotations as data: one resolved annotation becomes a type description the host draws values from.

Nothing is imported that the flow did not import: pydantic 1 and 2 and annotated-types are known by shape.
A type that cannot be told is {"type": "unknown"}: never a guess that an engine would refuse.
"""

from __future__ import annotations

import collections
import collections.abc
import datetime
import decimal
import enum
import pathlib
import re
import typing
import uuid
from typing import Any, Dict, List, Optional, Sequence, Tuple

from . import values

Description = Dict[str, Any]

PLAIN = {
    int: "int",
    float: "float",
    str: "str",
    bool: "bool",
    type(None): "none",
    bytes: "bytes",
    decimal.Decimal: "decimal",
    datetime.datetime: "datetime",
    datetime.date: "date",
    datetime.time: "time",
    datetime.timedelta: "timedelta",
    uuid.UUID: "uuid",
    pathlib.Path: "path",
    pathlib.PurePath: "path",
    pathlib.PosixPath: "path",
    pathlib.PurePosixPath: "path",
}  # type: Dict[Any, str]

CONTAINERS = {
    list: "list",
    collections.abc.Sequence: "list",
    collections.abc.MutableSequence: "list",
    collections.abc.Iterable: "list",
    collections.abc.Collection: "list",
    set: "set",
    collections.abc.Set: "set",
    collections.abc.MutableSet: "set",
    frozenset: "frozenset",
}  # type: Dict[Any, str]

_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping, collections.OrderedDict)

# Types of pydantic that read the same input as a plain one; by name, since the class is not there to import.
_PYDANTIC = {
    "AwareDatetime": {"type": "datetime", "aware": True},
    "NaiveDatetime": {"type": "datetime", "aware": False},
    "SecretStr": {"type": "str"},
    "SecretBytes": {"type": "bytes"},
    "DateTime": {"type": "datetime", "aware": True},
}  # type: Dict[str, Description]

# Name of a bound as annotated-types, pydantic 2 or pydantic 1 spell it → name in a description.
_BOUNDS = {
    "ge": "ge",
    "gt": "gt",
    "le": "le",
    "lt": "lt",
    "multiple_of": "multiple_of",
    "min_length": "min_length",
    "max_length": "max_length",
    "min_items": "min_length",
    "max_items": "max_length",
    "pattern": "pattern",
    "regex": "pattern",
    "max_digits": "max_digits",
    "decimal_places": "decimal_places",
}
_APPLIES = {
    "int": ("ge", "gt", "le", "lt", "multiple_of"),
    "float": ("ge", "gt", "le", "lt", "multiple_of"),
    "decimal": ("ge", "gt", "le", "lt", "multiple_of", "max_digits", "decimal_places"),
    "str": ("min_length", "max_length", "pattern"),
    "bytes": ("min_length", "max_length"),
    "datetime": ("ge", "gt", "le", "lt"),
    "date": ("ge", "gt", "le", "lt"),
    "time": ("ge", "gt", "le", "lt"),
    "timedelta": ("ge", "gt", "le", "lt"),
    "dict": ("min_length", "max_length"),
    "list": ("min_length", "max_length"),
    "set": ("min_length", "max_length"),
    "frozenset": ("min_length", "max_length"),
    "tuple_of": ("min_length", "max_length"),
}
_LENGTHS = {"min_length": "min", "max_length": "max"}

# What sits in Annotated[...] and changes nothing about what is accepted.
_HARMLESS = (
    "Strict",
    "Doc",
    "deprecated",
    "Discriminator",
    "Tag",
    "WithJsonSchema",
    "Examples",
    "SerializeAsAny",
)


def describe_annotation(annotation: Any, seen: Tuple[Any, ...] = ()) -> Description:
    """The description of one resolved annotation; whatever goes wrong with it makes it unknown."""
    try:
        return _describe(annotation, seen)
    except Exception:
        return unknown(annotation)


def unknown(annotation: Any) -> Description:
    """What cannot be told, with the text of the annotation."""
    try:
        plain = isinstance(annotation, type) and not getattr(annotation, "__args__", None)
        shown = annotation.__qualname__ if plain else str(annotation)
    except Exception:
        shown = type(annotation).__name__
    return {"type": "unknown", "annotation": shown[:200]}


def _describe(annotation: Any, seen: Tuple[Any, ...]) -> Description:
    if annotation is Any or annotation is object or isinstance(annotation, typing.TypeVar):
        return {"type": "any"}
    if annotation is None:
        return {"type": "none"}
    metadata = getattr(annotation, "__metadata__", None)
    if metadata is not None and hasattr(annotation, "__origin__"):
        return constrain(describe_annotation(annotation.__origin__, seen), metadata, annotation)
    if hasattr(annotation, "__supertype__"):  # NewType
        return describe_annotation(annotation.__supertype__, seen)
    if type(annotation).__name__ == "TypeAliasType":
        return describe_annotation(annotation.__value__, seen)
    origin, arguments = getattr(annotation, "__origin__", None), getattr(annotation, "__args__", None) or ()
    if origin is typing.Union or type(annotation).__name__ == "UnionType":
        return union_of([describe_annotation(argument, seen) for argument in arguments])
    if "Literal" in str(origin):
        return {"type": "literal", "values": [values.encode(value)["root"] for value in arguments]}
    if isinstance(origin, type):
        return _generic(annotation, origin, arguments, seen)
    if isinstance(annotation, type):
        return _class(annotation, seen)
    return unknown(annotation)


def union_of(options: List[Description]) -> Description:
    """One of several types, each once; a single one is itself."""
    flat = []  # type: List[Description]
    for option in options:
        for one in option["options"] if option["type"] == "union" else [option]:
            if one not in flat:
                flat.append(one)
    return flat[0] if len(flat) == 1 else {"type": "union", "options": flat}


def _generic(annotation: Any, origin: Any, arguments: Any, seen: Tuple[Any, ...]) -> Description:
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return {"type": "tuple_of", "items": describe_annotation(arguments[0], seen)}
        if arguments == ((),):  # Tuple[()] before Python 3.11
            arguments = ()
        elif not arguments and annotation in (typing.Tuple, tuple):
            return {"type": "tuple_of", "items": {"type": "any"}}
        return {"type": "tuple", "items": [describe_annotation(argument, seen) for argument in arguments]}
    inner = [describe_annotation(argument, seen) for argument in arguments]
    if origin in CONTAINERS:
        return {"type": CONTAINERS[origin], "items": inner[0] if inner else {"type": "any"}}
    if origin in _MAPPINGS:
        keys, held = inner if len(inner) == 2 else ({"type": "any"}, {"type": "any"})
        return {"type": "dict", "keys": {"type": "str"} if keys["type"] == "any" else keys, "values": held}
    return unknown(annotation)


def _class(cls: Any, seen: Tuple[Any, ...]) -> Description:
    if cls in PLAIN:
        return {"type": PLAIN[cls]}
    if cls in CONTAINERS or cls in _MAPPINGS or cls is tuple:
        return _generic(cls, cls, (), seen)
    if issubclass(cls, enum.Enum):
        members = [values.encode(member.value)["root"] for member in cls]
        return {"type": "enum", "class": cls.__qualname__, "values": members}
    if cls in seen:
        return unknown(cls)  # a model that holds itself
    if cls.__module__.split(".")[0] in ("pydantic", "pydantic_extra_types", "types"):
        known = _pydantic_type(cls, seen)
        if known is not None:
            return known
    fields = _fields(cls, seen + (cls,))
    if isinstance(fields, list):
        return {"type": "tuple", "items": fields}
    return unknown(cls) if fields is None else {"type": "model", "class": cls.__qualname__, "fields": fields}


def _pydantic_type(cls: Any, seen: Tuple[Any, ...]) -> Optional[Description]:
    """Pydantic 1's constrained classes have bounds as attributes; a few of pydantic 2's are known by name."""
    if cls.__name__ in _PYDANTIC:
        return dict(_PYDANTIC[cls.__name__])
    if not any(base.__name__.startswith("Constrained") for base in cls.__mro__):
        return None
    for base in (int, float, str, bytes, decimal.Decimal, datetime.date):
        if issubclass(cls, base):
            return constrain({"type": PLAIN[base]}, [cls], cls)
    for container in (list, set, frozenset):
        if issubclass(cls, container):
            items = describe_annotation(getattr(cls, "item_type", Any), seen)
            return constrain({"type": CONTAINERS[container], "items": items}, [cls], cls)
    return None


# ------------------------------------------------------------------------------------------- constraints


def constrain(description: Description, metadata: Sequence[Any], annotation: Any) -> Description:
    """A description with the bounds of annotated-types, Field(...) or a constrained class put in.

    A validator is code of the user's: what it accepts cannot be told.
    """
    described = dict(description)
    for item in metadata:
        if is_field(item):
            described = constrain(described, list(getattr(item, "metadata", ())), annotation)
        name = type(item).__name__
        if name.endswith("Validator") or name in ("Predicate", "Not", "Timezone", "PathType"):
            return unknown(annotation)
        if item is None or isinstance(item, str) or name in _HARMLESS:
            continue
        if described["type"] == "union":
            options = [constrain(option, [item], annotation) for option in described["options"]]
            described = {"type": "union", "options": options}
            continue
        if _get(item, "allow_inf_nan") is False:
            described["finite"] = True
        for attribute, bound in _BOUNDS.items():
            value = _get(item, attribute)
            if value is None or bound not in _APPLIES.get(described["type"], ()):
                continue
            if isinstance(value, type(re.compile(""))):
                value = value.pattern
            name = bound if described["type"] in ("str", "bytes") else _LENGTHS.get(bound, bound)
            described[name] = values.encode(value)["root"]
    return described


def _get(item: Any, attribute: str) -> Any:
    try:
        value = getattr(item, attribute, None)
    except Exception:
        return None
    return None if callable(value) or type(value).__name__ == "PydanticUndefinedType" else value


def is_field(item: Any) -> bool:
    """Whether this is pydantic's description of a field."""
    return type(item).__name__ == "FieldInfo" and type(item).__module__.split(".")[0] == "pydantic"


def field_default(field: Any) -> Tuple[Any, bool]:
    """The default of a field, and whether it has one."""
    if getattr(field, "default_factory", None) is not None:
        return field.default_factory(), True
    if field.default is Ellipsis or type(field.default).__name__ in (
        "PydanticUndefinedType",
        "UndefinedType",
    ):
        return None, False
    return field.default, True


# ------------------------------------------------------------------------------------------------ models


def _fields(cls: Any, seen: Tuple[Any, ...]) -> Any:
    """Field name → {"type", "required"}; a list of types for a named tuple; None for any other class."""
    if isinstance(getattr(cls, "__fields__", None), dict) and _model_base(cls):
        return _pydantic_fields(cls, seen)
    hints = _resolve_class(cls)
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return [describe_annotation(hints.get(name, Any), seen) for name in cls._fields]
    if issubclass(cls, dict) and hasattr(cls, "__total__"):
        required = getattr(cls, "__required_keys__", frozenset(hints) if cls.__total__ else frozenset())
        return {
            name: {"type": describe_annotation(_unqualified(hint), seen), "required": name in required}
            for name, hint in hints.items()
        }
    declared = getattr(cls, "__dataclass_fields__", None)
    if declared is None or (hasattr(cls, "__pydantic_decorators__") and _validated(cls)):
        return None
    fields = {}
    for name, field in declared.items():
        if not field.init or "CLASSVAR" in str(field._field_type):
            continue
        missing = "MISSING_TYPE"
        optional = (
            type(field.default).__name__ != "_" + missing or type(field.default_factory).__name__ != "_" + missing
        )
        fields[name] = {"type": describe_annotation(hints.get(name, Any), seen), "required": not optional}
    return fields


def _model_base(cls: Any) -> bool:
    return any(base.__name__ == "BaseModel" and base.__module__.startswith("pydantic") for base in cls.__mro__)


def _pydantic_fields(cls: Any, seen: Tuple[Any, ...]) -> Optional[Dict[str, Description]]:
    if _validated(cls):
        return None  # what a validator of the user's accepts cannot be told
    fields = {}
    modern = isinstance(cls.__dict__.get("model_fields", getattr(cls, "__pydantic_fields__", None)), dict)
    for name, field in (getattr(cls, "__pydantic_fields__", {}) if modern else cls.__fields__).items():
        if modern:
            described = constrain(describe_annotation(field.annotation, seen), field.metadata, field.annotation)
            required, alias = field.is_required(), getattr(field, "validation_alias", None) or field.alias
        else:
            described = constrain(describe_annotation(field.outer_type_, seen), [field.field_info], field.outer_type_)
            if field.allow_none:
                described = union_of([described, {"type": "none"}])
            required, alias = bool(field.required), field.alias
        key = alias if isinstance(alias, str) else name
        fields[key] = {"type": described, "required": required}
    return fields


def _validated(cls: Any) -> bool:
    """Whether a pydantic class has validators of its own (pydantic 2: in one place, pydantic 1: in three)."""
    decorators = getattr(cls, "__pydantic_decorators__", None)
    if decorators is not None:
        modern = ("validators", "field_validators", "root_validators", "model_validators")
        return any(getattr(decorators, name, None) for name in modern)
    older = ("__validators__", "__pre_root_validators__", "__post_root_validators__")
    return any(getattr(cls, name, None) for name in older)


def _resolve_class(cls: Any) -> Dict[str, Any]:
    try:
        return typing.get_type_hints(cls, include_extras=True)  # type: ignore[call-arg,unused-ignore]
    except TypeError:
        pass
    except Exception:
        return dict(getattr(cls, "__annotations__", {}))
    try:
        return typing.get_type_hints(cls)
    except Exception:
        return dict(getattr(cls, "__annotations__", {}))


def _unqualified(hint: Any) -> Any:
    """Required[X] and NotRequired[X] of a TypedDict are X."""
    return hint.__args__[0] if "Required" in str(getattr(hint, "__origin__", "")) else hint
