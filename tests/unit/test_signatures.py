"""Annotations and defaults become type descriptions, whatever the Python and with or without pydantic."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import decimal
import enum
import json
import pathlib
import typing
import uuid
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, TypedDict, Union

import pytest

from equivalence.inside import annotations as described_annotations
from equivalence.inside import signatures, values


class Colour(enum.Enum):
    """An enum of mixed values."""

    RED = "red"
    TWO = 2


@dataclasses.dataclass
class Order:
    """A dataclass with a required and an optional field."""

    id: int
    tags: list[str] = dataclasses.field(default_factory=list)
    seen: typing.ClassVar[int] = 0


class Row(NamedTuple):
    """A named tuple."""

    key: str
    amount: float


class Options(TypedDict, total=False):
    """A typed dict without required keys."""

    limit: int


@dataclasses.dataclass
class Node:
    """A class that holds itself."""

    next: Node | None = None


class Ge:
    """Shaped like annotated_types.Ge."""

    def __init__(self, ge: Any) -> None:
        """With a lower bound."""
        self.ge = ge


class Len:
    """Shaped like annotated_types.Len."""

    def __init__(self, shortest: int, longest: int | None = None) -> None:
        """With a shortest and a longest length."""
        self.min_length, self.max_length = shortest, longest


class AfterValidator:
    """Shaped like pydantic's."""


UserId = NewType("UserId", int)

INT, STR = {"type": "int"}, {"type": "str"}


@pytest.mark.parametrize(
    ("annotation", "description"),
    [
        (int, INT),
        (bool, {"type": "bool"}),
        (None, {"type": "none"}),
        (bytes, {"type": "bytes"}),
        (decimal.Decimal, {"type": "decimal"}),
        (datetime.datetime, {"type": "datetime"}),
        (datetime.date, {"type": "date"}),
        (datetime.timedelta, {"type": "timedelta"}),
        (uuid.UUID, {"type": "uuid"}),
        (pathlib.Path, {"type": "path"}),
        (Any, {"type": "any"}),
        (object, {"type": "any"}),
        (UserId, INT),
        (list, {"type": "list", "items": {"type": "any"}}),
        (typing.List, {"type": "list", "items": {"type": "any"}}),  # noqa: UP006
        (list[int], {"type": "list", "items": INT}),
        (collections.abc.Sequence[str], {"type": "list", "items": STR}),
        (set[str], {"type": "set", "items": STR}),
        (frozenset[str], {"type": "frozenset", "items": STR}),
        (tuple[int, ...], {"type": "tuple_of", "items": INT}),
        (tuple[int, str], {"type": "tuple", "items": [INT, STR]}),
        (tuple[()], {"type": "tuple", "items": []}),
        (dict[str, int], {"type": "dict", "keys": STR, "values": INT}),
        (dict, {"type": "dict", "keys": STR, "values": {"type": "any"}}),
        (Optional[int], {"type": "union", "options": [INT, {"type": "none"}]}),  # noqa: UP045
        (int | str | None, {"type": "union", "options": [INT, STR, {"type": "none"}]}),
        (Union[int, Union[str, int]], {"type": "union", "options": [INT, STR]}),  # noqa: UP007
        (Literal["a", 1, None], {"type": "literal", "values": ["a", 1, None]}),
        (Colour, {"type": "enum", "class": "Colour", "values": ["red", 2]}),
        (Row, {"type": "tuple", "items": [STR, {"type": "float"}]}),
        (
            Options,
            {"type": "model", "class": "Options", "fields": {"limit": {"type": INT, "required": False}}},
        ),
        (Annotated[int, Ge(3)], {"type": "int", "ge": 3}),
        (
            Annotated[list[int], Len(1, 4)],
            {"type": "list", "items": INT, "min": 1, "max": 4},
        ),
        (Annotated[str, Len(2), "a remark"], {"type": "str", "min_length": 2}),
        (
            Annotated[int | None, Ge(0)],
            {"type": "union", "options": [{"type": "int", "ge": 0}, {"type": "none"}]},
        ),
    ],
)
def test_annotation_is_described(annotation: Any, description: dict[str, Any]) -> None:
    """Each annotation has its description, and that is JSON."""
    assert json.loads(json.dumps(described_annotations.describe_annotation(annotation))) == description


@pytest.mark.parametrize("annotation", [Callable, type[int], Order.__init__, Annotated[int, AfterValidator()]])
def test_what_cannot_be_told_is_unknown(annotation: Any) -> None:
    """A callable, a class, something that is no type and a type with a validator are not guessed at."""
    assert described_annotations.describe_annotation(annotation)["type"] == "unknown"


def test_dataclass_is_a_model_of_its_fields() -> None:
    """A field with a default is not required, a class variable is no field."""
    described = described_annotations.describe_annotation(Order)
    assert described["class"] == "Order"
    assert {name: entry["required"] for name, entry in described["fields"].items()} == {
        "id": True,
        "tags": False,
    }


def test_class_that_holds_itself_ends() -> None:
    """The inner occurrence of a recursive class is unknown instead of endless."""
    inner = described_annotations.describe_annotation(Node)["fields"]["next"]["type"]["options"][0]
    assert inner == {"type": "unknown", "annotation": "Node"}


def test_signature_with_annotations_as_text() -> None:
    """Text annotations resolve one by one; one that does not leaves the others alone."""

    def flow(a, b: int, c: Nope, d: Optional[str] = None, *rest: int, e: int = None, **more: str): ...  # type: ignore  # noqa

    described = {entry["name"]: entry for entry in signatures.describe_signature(flow)}
    assert {name: entry["type"]["type"] for name, entry in described.items()} == {
        "a": "any",
        "b": "int",
        "c": "unknown",
        "d": "union",
        "rest": "int",
        "e": "int",
        "more": "str",
    }
    assert [name for name, entry in described.items() if entry["required"]] == ["a", "b", "c", "rest", "more"]
    assert described["e"]["kind"] == "keyword_only"
    assert described["more"]["kind"] == "var_keyword"


def test_default_is_an_envelope() -> None:
    """A default travels as the encoder writes it; a parameter without one has none."""

    def flow(a: int, b: float = 1.0) -> None: ...

    first, second = signatures.describe_signature(flow)
    assert (first["default"], first["has_default"], first["required"]) == (None, False, True)
    assert second["default"] == values.encode(1.0)
    assert second["has_default"]


def test_annotation_of_an_enclosing_function_resolves() -> None:
    """A flow made by a factory may be annotated with a class of the factory's."""

    def factory() -> Any:
        class Size(enum.Enum):
            SMALL = 1

        def flow(size: Size) -> Any:
            return Size(size)

        return flow

    assert signatures.describe_signature(factory())[0]["type"]["type"] == "enum"


@pytest.mark.parametrize(
    ("default", "like"),
    [
        (True, {"type": "bool"}),
        (5, INT),
        (None, {"type": "none"}),
        ("eu", STR),
        ("2024-02-29", {"type": "str", "reads": "date"}),
        ("2024-02-29T10:00:00", {"type": "str", "reads": "datetime"}),
        ("12", {"type": "str", "reads": "int"}),
        ([1, 2], {"type": "list", "items": INT}),
        ([], {"type": "list", "items": {"type": "any"}}),
        ((1, "a"), {"type": "tuple_of", "items": {"type": "union", "options": [INT, STR]}}),
        ({"a": 1}, {"type": "model", "class": "dict", "fields": {"a": {"type": INT, "required": True}}}),
        ({1: "a"}, {"type": "dict", "keys": INT, "values": STR}),
        ({}, {"type": "dict", "keys": STR, "values": {"type": "any"}}),
        (datetime.datetime(2024, 1, 1), {"type": "datetime", "aware": False}),
        (datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc), {"type": "datetime", "aware": True}),
        (print, {"type": "unknown", "annotation": "builtin_function_or_method"}),
    ],
)
def test_default_tells_a_type(default: Any, like: dict[str, Any]) -> None:
    """Values like a default: bool is no int, a mapping keeps its keys, a date in a text is noticed."""
    assert signatures.describe_parameter("x", default, False)["type"] == like


def test_prefect1_parameter_without_default_takes_the_consumers_annotation() -> None:
    """What the tasks that take a parameter are annotated with tells its type where the default does not."""
    described = signatures.describe_parameter("x", None, True, [Any, "Nope", int])
    assert described["type"] == INT
    assert not described["has_default"]


def test_prefect1_default_outweighs_an_annotation_it_contradicts() -> None:
    """An annotation that the default itself does not meet says nothing about the values."""
    assert signatures.describe_parameter("x", "a", False, [int])["type"] == STR


def test_prefect1_required_parameter_keeps_its_unused_default() -> None:
    """Parameter(default=5, required=True) is required, and its default is on record."""
    described = signatures.describe_parameter("x", 5, True)
    assert described["required"]
    assert described["has_default"]


def test_pydantic_one_constrained_class_is_read_by_its_attributes() -> None:
    """A class as pydantic 1's conint makes it gives its bounds, without pydantic being imported."""
    base = type("ConstrainedInt", (int,), {"__module__": "pydantic.v1.types"})
    limited = type("ConstrainedIntValue", (base,), {"ge": 1, "lt": 9, "gt": None, "__module__": "pydantic.v1.types"})
    assert described_annotations.describe_annotation(limited) == {"type": "int", "ge": 1, "lt": 9}


def test_field_as_default_gives_default_and_bounds() -> None:
    """`limit: int = Field(5, ge=0)` has the default 5 and a lower bound, as Prefect 2.20 reads it."""
    members = {"metadata": [Ge(0)], "default": 5, "default_factory": None}
    field = type("FieldInfo", (), {"__module__": "pydantic.fields", **members})()

    def flow(limit: int = field) -> None: ...

    described = signatures.describe_signature(flow)[0]
    assert described["type"] == {"type": "int", "ge": 0}
    assert described["default"]["root"] == 5
    assert not described["required"]
