"""Two signatures become differences, explicit cases, and a strategy both flows accept."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import math
import pathlib
import random
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Optional

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from equivalence import cases, domains, edges, strategies
from equivalence.config import PairSettings
from equivalence.descriptions import FlowDescription, Parameter
from equivalence.errors import UsageProblem
from equivalence.inside import annotations as described_annotations
from equivalence.inside import signatures, values

UTC = datetime.timezone.utc
NONE = object()


class Colour(enum.Enum):
    """Two colours."""

    RED = "red"
    BLUE = "blue"


class Limits:
    """Shaped like metadata of annotated-types."""

    def __init__(self, **bounds: Any) -> None:
        """With these attributes."""
        self.__dict__.update(bounds)


def v1_flow(**parameters: Any) -> FlowDescription:
    """A Prefect 1 flow; NONE stands for a required parameter without default."""
    described = [
        signatures.describe_parameter(name, None if default is NONE else default, default is NONE)
        for name, default in parameters.items()
    ]
    return FlowDescription.from_message({"name": "orders", "parameters": described}, "flows_v1/orders.py")


def v2_flow(fn: Any) -> FlowDescription:
    """A Prefect 2 flow of a function's signature."""
    described = signatures.describe_signature(fn)
    return FlowDescription.from_message({"name": "orders", "parameters": described}, "flows_v2/orders.py")


def match(v1: FlowDescription, fn: Any, **pair: Any) -> cases.Matching:
    """The matching of a pair named orders."""
    return cases.match_parameters(v1, v2_flow(fn), PairSettings(name="orders", **pair))


def domain(v1_default: Any, fn: Any) -> Mapping[str, Any] | None:
    """What is drawn for the only parameter, x."""
    return match(v1_flow(x=v1_default), fn).shared[0].domain


# matching


def test_same_signatures_do_not_differ() -> None:
    """Names, defaults and obligation agree: no difference, no note."""

    def flow(limit, tag="a"): ...  # type: ignore[no-untyped-def]

    matching = match(v1_flow(limit=NONE, tag="a"), flow, parameters={})
    assert [(one.v1_name, one.v2_name) for one in matching.shared] == [("limit", "limit"), ("tag", "tag")]
    assert matching.differences == ()
    assert matching.notes == ()


def test_names_match_configured_then_exact_then_folded() -> None:
    """The configured name wins, an equal one comes next, then case, spaces, - and _ are set aside."""

    def flow(a=1, max_rows=2, tag=3): ...  # type: ignore[no-untyped-def]

    v1 = v1_flow(**{"b": 1, "Max-Rows": 2, "tag": 3})
    matching = match(v1, flow, parameters={"b": "a"})
    assert {one.v1_name: one.v2_name for one in matching.shared} == {
        "b": "a",
        "Max-Rows": "max_rows",
        "tag": "tag",
    }


def test_ambiguous_fold_is_not_guessed() -> None:
    """Two names that fold alike match neither."""

    def flow(max_rows=2): ...  # type: ignore[no-untyped-def]

    matching = match(v1_flow(**{"Max-Rows": 2, "max rows": 2}), flow)
    assert matching.shared == ()
    assert len(matching.differences) == 2


def test_one_sided_parameters() -> None:
    """v1 only differs; v2 only and required differs and blocks; v2 only with a default is noted."""

    def flow(needed, extra=3): ...  # type: ignore[no-untyped-def]

    matching = match(v1_flow(old=1), flow)
    assert [(d.path, d.v1, d.v2) for d in matching.differences] == [
        ("parameters.old", "optional, default 1", "absent"),
        ("parameters.needed", "absent", "required"),
    ]
    assert matching.blocked == ("needed",)
    assert matching.notes == ("extra is in the Prefect 2 flow alone and held at its default 3",)


def test_fixed_parameters_are_given_and_not_matched() -> None:
    """A parameter held by configuration is no difference, and every case gives it to its side."""

    def flow(needed, limit=1): ...  # type: ignore[no-untyped-def]

    matching = match(v1_flow(limit=1, old=2), flow, fixed_v1={"old": 7}, fixed_v2={"needed": "load"})
    assert matching.differences == ()
    case = cases.Case.of(matching, {"limit": 3})
    assert case.for_v1() == {"old": 7, "limit": 3}
    assert case.for_v2() == {"needed": "load", "limit": 3}


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ({"parameters": {"limt": "limit"}}, "no parameter 'limt'; did you mean 'limit'?"),
        ({"parameters": {"limit": "limt"}}, "no parameter 'limt'; did you mean 'limit'?"),
        ({"fixed_v1": {"lmit": 1}}, "fixed.v1: the Prefect 1 flow 'orders' has no parameter 'lmit'"),
        ({"fixed_v2": {"zzz": 1}}, "has no parameter 'zzz'; it has 'limit'"),
    ],
)
def test_configured_name_that_is_not_there(pair: dict[str, Any], said: str) -> None:
    """Configuration that names no parameter is a usage problem with the nearest name."""

    def flow(limit=1): ...  # type: ignore[no-untyped-def]

    with pytest.raises(UsageProblem, match=r"pairs\.orders") as caught:
        match(v1_flow(limit=1), flow, **pair)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("default", "other", "differs"),
    [
        (1, 1, False),
        (1, 2, True),
        (1, 1.0, True),
        (1, True, True),
        ([1], (1,), True),
        (math.nan, math.nan, False),
    ],
)
def test_defaults_are_compared_by_type_and_value(default: Any, other: Any, differs: bool) -> None:
    """1, 1.0 and True are three defaults; nan is equal to itself."""

    def flow(x=other): ...  # type: ignore[no-untyped-def]

    matching = match(v1_flow(x=default), flow)
    assert [d.path for d in matching.differences] == (["parameters.x.default"] if differs else [])


def test_lost_default_is_named() -> None:
    """A default that the Prefect 2 flow dropped makes the parameter required: that is the difference."""

    def flow(x): ...  # type: ignore[no-untyped-def]

    (difference,) = match(v1_flow(x=5), flow).differences
    assert difference.path == "parameters.x.required"
    assert difference.note.startswith("lost default")


def test_required_with_a_default_is_required() -> None:
    """Prefect 1 never uses the default of a required parameter: optional is another signature."""

    def flow(x=5): ...  # type: ignore[no-untyped-def]

    described = signatures.describe_parameter("x", 5, True)
    v1 = FlowDescription.from_message({"name": "orders", "parameters": [described]})
    matching = match(v1, flow)
    assert [d.v1 for d in matching.differences] == ["required, default 5 never used"]
    assert cases.explicit_cases(matching)[0].parameters == {"x": 5}


def test_datetime_parameter_default_is_its_instant() -> None:
    """A DateTimeParameter's text default means UTC: equal to that moment, not to a naive one."""
    described = signatures.describe_parameter("day", "2024-01-01", False)
    described["datetime_parameter"] = True
    v1 = FlowDescription.from_message({"name": "orders", "parameters": [described]})

    def aware(day=datetime.datetime(2024, 1, 1, tzinfo=UTC)): ...  # type: ignore[no-untyped-def]

    def naive(day=datetime.datetime(2024, 1, 1)): ...  # type: ignore[no-untyped-def]

    assert match(v1, aware).differences == ()
    assert [d.path for d in match(v1, naive).differences] == ["parameters.day.default"]


def test_opaque_defaults_are_held_and_stated() -> None:
    """A function as default cannot be compared nor drawn: the flow keeps it, and a note says so."""

    def flow(fetch=print, n=1): ...  # type: ignore[no-untyped-def]

    matching = match(v1_flow(fetch=print, n=1), flow)
    assert matching.differences == ()
    assert any("were not compared" in note for note in matching.notes)
    assert any(note.startswith("fetch is held at its default") for note in matching.notes)
    assert all("fetch" not in case.parameters for case in cases.explicit_cases(matching))


def test_keywords_take_what_only_v1_names() -> None:
    """A ** parameter in Prefect 2 takes any name: not a difference, but said."""

    def flow(**more): ...  # type: ignore[no-untyped-def]

    matching = match(v1_flow(limit=1), flow)
    assert matching.differences == ()
    assert cases.Case.of(matching, {"limit": 2}).for_v2() == {"limit": 2}
    assert matching.notes == ("limit goes to the ** parameter of the Prefect 2 flow",)


# domains


def test_domain_is_the_v2_annotation() -> None:
    """What Prefect 2 accepts is drawn, since Prefect 1 accepts everything."""

    def flow(x: Annotated[int, Limits(ge=0, le=9)] = 1) -> None: ...

    assert domain(1, flow) == {"type": "int", "ge": 0, "le": 9}


def test_without_annotation_values_are_like_the_v1_default() -> None:
    """No annotation: the type of the default, where a bool is no int."""

    def flow(x=None): ...  # type: ignore[no-untyped-def]

    assert domain(True, flow) == {"type": "bool"}
    assert domain(3, flow) == {"type": "int"}


def test_none_needs_an_annotation_or_both_defaults() -> None:
    """None is drawn where Prefect 2's annotation allows it, or both flows start from it."""

    def optional(x: Optional[int] = None) -> None: ...  # noqa: UP045

    def implicit(x: int = None) -> None: ...  # type: ignore[assignment] # noqa: RUF013

    with_none = {"type": "union", "options": [{"type": "int"}, {"type": "none"}]}
    assert domain(1, optional) == with_none
    assert domain(1, implicit) == {"type": "int"}
    assert domain(None, implicit) == with_none


@pytest.mark.parametrize(
    ("default", "annotation", "example"),
    [
        ("2024-01-01", datetime.datetime, "2000-01-01T00:00:00+00:00"),
        ("2024-01-01", datetime.date, "2000-01-01"),
        (
            datetime.datetime(2024, 1, 1, tzinfo=UTC),
            datetime.datetime,
            datetime.datetime(2000, 1, 1, tzinfo=UTC),
        ),
        (datetime.datetime(2024, 1, 1), datetime.datetime, datetime.datetime(2000, 1, 1)),
        ("7", int, "0"),
        ("yes", bool, "false"),
        ([1], set[int], []),
        ([1, "a"], tuple[int, str], [0, ""]),
        ((1,), list[int], ()),
    ],
)
def test_values_are_spelled_as_the_v1_default_is(default: Any, annotation: Any, example: Any) -> None:
    """Prefect 1 passes on what it is given: a text for a moment, a list for a set."""

    def flow(x=None): ...  # type: ignore[no-untyped-def]

    flow.__annotations__["x"] = annotation
    kind = domain(default, flow)
    assert kind is not None
    drawn = find(strategies.strategy(kind), lambda value: True, settings=settings(database=None))
    assert (type(drawn), drawn) == (type(example), example)
    assert edges.simplest(kind) == example


def test_nothing_to_draw_from_shows_the_hook() -> None:
    """Neither type nor default: the error names pair and parameter and holds the hook, ready to paste."""

    def flow(frame: memoryview): ...  # type: ignore[no-untyped-def]

    matching = match(v1_flow(frame=NONE), flow)
    with pytest.raises(cases.UndrawableParameter) as caught:
        cases.case_strategy(matching)
    text = str(caught.value)
    assert "pair 'orders'" in text
    assert "'frame' (annotated memoryview)" in text
    assert 'if pair.name == "orders":\n        return {"frame": st.integers(0, 100)}' in text
    compile(text.split("\n\n", 1)[1], "conftest.py", "exec")


def test_bounds_that_exclude_everything_are_said() -> None:
    """Contradictory bounds name the parameter instead of failing inside Hypothesis."""

    def flow(x: Annotated[int, Limits(ge=5, le=1)]) -> None: ...

    with pytest.raises(cases.UndrawableParameter, match="'x'"):
        cases.explicit_cases(match(v1_flow(x=NONE), flow))


# overrides


def test_override_wins_by_either_name() -> None:
    """A user's strategy replaces ours, under the v1 or the v2 name, also where nothing could be drawn."""

    def flow(max_rows: memoryview): ...  # type: ignore[no-untyped-def]

    matching = match(v1_flow(**{"Max-Rows": NONE}), flow)
    for name in ("Max-Rows", "max_rows"):
        overrides = {name: st.just(42)}
        drawn = find(cases.case_strategy(matching, overrides), lambda case: True, settings=settings(database=None))
        assert drawn.for_v2() == {"max_rows": 42}
        assert [case.for_v1() for case in cases.explicit_cases(matching, overrides)] == [{"Max-Rows": 42}]


@pytest.mark.parametrize(
    ("overrides", "said"),
    [({"limt": st.integers()}, "did you mean 'limit'"), ({"limit": 3}, "must be a Hypothesis strategy")],
)
def test_override_that_cannot_be_used(overrides: dict[str, Any], said: str) -> None:
    """An unknown name and a value that is no strategy are usage problems."""

    def flow(limit=1): ...  # type: ignore[no-untyped-def]

    with pytest.raises(UsageProblem, match=said):
        cases.case_strategy(match(v1_flow(limit=1), flow), overrides)


# cases


def test_case_shows_and_compares() -> None:
    """Its text is short Python; its key tells 1 from True and does not know the order of its parameters."""
    assert cases.Case({}).show() == "the defaults"
    assert cases.Case({"limit": 0, "Image tag": ""}).show() == "limit=0, \"Image tag\"=''"
    assert len(cases.Case({"text": "a" * 5000}).show()) < 250
    assert cases.Case({"a": 1, "b": 2}) == cases.Case({"b": 2, "a": 1})
    assert cases.Case({"a": 1}) != cases.Case({"a": True})
    assert cases.Case({"a": math.nan}) == cases.Case({"a": math.nan})
    assert cases.Case({}, seed=1) != cases.Case({}, seed=2)
    assert len({cases.Case({"a": [1]}), cases.Case({"a": [1]})}) == 1


def test_explicit_cases_begin_with_the_defaults() -> None:
    """First nothing but what is required, then one edge at a time, without doubles and not too many."""
    day = datetime.date(2020, 5, 5)

    def flow(limit: int, tag: str = "x", rate: float = 0.5, dry: bool = False, when: datetime.date = day) -> None: ...

    matching = match(v1_flow(limit=NONE, tag="x", rate=0.5, dry=False, when=day), flow)
    made = cases.explicit_cases(matching)
    assert made[0].parameters == {"limit": 0}
    assert all(len(case.parameters) <= 2 for case in made)
    assert len({case.key() for case in made}) == len(made) <= cases.MAX_EXPLICIT
    given_of = {name: [c.parameters[name] for c in made if name in c.parameters] for name in ("limit", "tag", "dry")}
    assert {0, 1, -1, 2**31, -(2**63), 2**63 - 1} <= set(given_of["limit"])
    assert {"", " ", "a", "x", "X", "é✓", "a" * 50} <= set(given_of["tag"])
    assert given_of["dry"] == [False, True]


def test_enum_and_literal_edges_are_every_member() -> None:
    """Each member is tried, as its value, and a text that is none of them where all are texts."""

    def flow(colour: Colour = Colour.RED, size: Literal["s", "m", 3] = "s") -> None: ...

    made = cases.explicit_cases(match(v1_flow(colour="red", size="s"), flow))
    assert [case.parameters["colour"] for case in made if "colour" in case.parameters] == [
        "red",
        "none of these",
        "blue",
    ]
    assert [case.parameters["size"] for case in made if "size" in case.parameters] == ["s", "m", 3]


@pytest.mark.parametrize(
    ("kind", "beyond"),
    [
        ({"type": "int", "ge": 0, "le": 100}, [-1, 101]),
        ({"type": "float", "gt": 0.0}, [0.0]),
        ({"type": "str", "min_length": 2, "max_length": 4}, ["a", "aaaaa"]),
        ({"type": "union", "options": [{"type": "int", "lt": 5}, {"type": "none"}]}, [5]),
        ({"type": "int"}, []),
    ],
)
def test_values_beyond_declared_bounds_are_known(kind: dict[str, Any], beyond: list[Any]) -> None:
    """Prefect 1 took what a Prefect 2 annotation refuses: past each bound, too short, too long."""
    assert list(edges.outside(kind)) == beyond


def test_list_edges_hold_the_default_shortened_and_reversed() -> None:
    """Order and length of a list default are boundaries too."""

    def flow(x: list[int] = [3, 1, 2]) -> None: ...  # noqa: B006

    given_lists = [c.parameters["x"] for c in cases.explicit_cases(match(v1_flow(x=[3, 1, 2]), flow)) if c.parameters]
    for wanted in ([], [3, 1, 2], [3, 1], [2, 1, 3]):
        assert wanted in given_lists
    assert any(len(items) == 2 and items[0] == items[1] for items in given_lists)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (lambda given: True, "the defaults"),
        (lambda given: "b" in given, "b=''"),
        (lambda given: given.get("a", 0) > 4, "a=5"),
        (lambda given: "e" in given and "c" in given, "c=False, e=None"),
        (lambda given: len(given.get("d", [])) > 2, "d=[0, 0, 0]"),
    ],
)
def test_shrinking_leaves_out_what_it_can(wanted: Any, shown: str, seed: int) -> None:
    """A smallest case holds the parameters that matter and no other, whatever the seed."""

    def flow(a: int = 1, b: str = "x", c: bool = True, d: list[int] = [1], e: str | None = None) -> None: ...  # noqa: B006

    strategy = cases.case_strategy(match(v1_flow(a=1, b="x", c=True, d=[1], e=None), flow))
    quiet = settings(database=None, max_examples=500, deadline=None)
    smallest = find(strategy, lambda case: wanted(case.parameters), settings=quiet, random=random.Random(seed))
    assert smallest.show() == shown


def test_flow_without_parameters_has_one_case() -> None:
    """Nothing to draw: the defaults alone."""

    def flow() -> None: ...

    matching = match(v1_flow(), flow)
    assert [case.show() for case in cases.explicit_cases(matching)] == ["the defaults"]
    assert find(cases.case_strategy(matching), lambda case: True).parameters == {}


KINDS: list[Any] = [
    {"type": "int"},
    {"type": "int", "ge": 3, "lt": 200},
    {"type": "int", "gt": 10, "le": 10**6, "multiple_of": 7},
    {"type": "int", "le": -500},
    {"type": "float"},
    {"type": "float", "gt": 0},
    {"type": "float", "gt": 0, "lt": 1},
    {"type": "float", "ge": -1.5, "lt": 2.0, "finite": True},
    {"type": "float", "ge": 0, "le": 10, "multiple_of": 0.5},
    {"type": "str"},
    {"type": "str", "min_length": 3, "max_length": 5},
    {"type": "str", "pattern": "^[a-z]{2}-[0-9]+$"},
    {"type": "str", "reads": "date"},
    {"type": "bytes", "min_length": 2},
    {"type": "bool"},
    {"type": "none"},
    {"type": "decimal"},
    {"type": "decimal", "ge": 0, "max_digits": 5, "decimal_places": 2},
    {"type": "datetime", "aware": True},
    {"type": "datetime", "aware": False},
    {"type": "date", "ge": {"t": "date", "v": "2020-01-01"}},
    {"type": "time"},
    {"type": "timedelta"},
    {"type": "uuid"},
    {"type": "path"},
    {"type": "text", "of": {"type": "uuid"}},
    {"type": "text", "of": {"type": "bool"}},
    {"type": "literal", "values": ["a", 1, None]},
    {"type": "enum", "class": "Colour", "values": ["red", "blue"]},
    {"type": "list", "items": {"type": "int", "ge": 0}, "min": 1, "max": 3},
    {"type": "list", "items": {"type": "str"}, "unique": True},
    {"type": "set", "items": {"type": "str"}},
    {"type": "frozenset", "items": {"type": "int"}, "min": 2},
    {"type": "tuple_of", "items": {"type": "date"}},
    {"type": "tuple", "items": [{"type": "int"}, {"type": "str"}]},
    {"type": "dict", "keys": {"type": "str"}, "values": {"type": "float"}},
    {"type": "dict", "keys": {"type": "int"}, "values": {"type": "any"}, "min": 1},
    {"type": "union", "options": [{"type": "int"}, {"type": "none"}]},
    {
        "type": "model",
        "class": "Order",
        "fields": {
            "id": {"type": {"type": "int"}, "required": True},
            "tags": {"type": {"type": "list", "items": {"type": "str"}}, "required": False},
        },
    },
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_drawn_values_are_inside_and_travel(kind: dict[str, Any]) -> None:
    """Every draw is of its type, and is the same after the way to a worker."""

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(strategies.strategy(kind))
    def check(value: Any) -> None:
        assert domains.accepts(kind, value)
        envelope = values.encode(value)
        back = values.decode(envelope["root"], envelope.get("shared"))
        assert type(back) is type(value) or kind["type"] == "path"
        assert values.encode(back)["digest"] == envelope["digest"]
        assert envelope["opaques"] == 0

    check()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_edges_are_inside_and_distinct(kind: dict[str, Any]) -> None:
    """There is at least one edge, each is of the type, and none comes twice."""
    found = list(edges.edges(kind))
    assert found
    assert all(domains.accepts(kind, value) for value in found)
    assert len({values.encode(value)["digest"] for value in found}) == len(found)


@dataclasses.dataclass
class Order:
    """An order."""

    id: int
    size: Literal["s", "m"]
    colours: list[Colour] = dataclasses.field(default_factory=list)
    paid: decimal.Decimal | None = None


ANNOTATIONS: list[Any] = [
    *(int, float, str, bool, bytes, decimal.Decimal, datetime.datetime, datetime.date, datetime.time),
    *(
        datetime.timedelta,
        uuid.UUID,
        pathlib.Path,
        Colour,
        Order,
        list,
        dict,
        tuple,
        list[Any],
        dict[str, Any],
    ),
    *(
        list[int],
        set[str],
        frozenset[bytes],
        tuple[int, ...],
        tuple[int, str],
        dict[str, float],
        dict[int, Order],
    ),
    *(
        Optional[int],  # noqa: UP045
        int | str | None,
        Literal["a", 1, None],
        list[Colour | None],
        dict[str, list[datetime.date]],
    ),
]


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=str)
def test_pydantic_accepts_what_is_drawn(annotation: Any) -> None:
    """Where pydantic is there to ask, it takes every draw and every edge for the annotation it came from."""
    pydantic = pytest.importorskip("pydantic", minversion="2")
    kind = described_annotations.describe_annotation(annotation)
    told = domains.told(kind)
    assert told is not None
    adapter = pydantic.TypeAdapter(annotation)
    for value in edges.edges(told):
        adapter.validate_python(value)

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(strategies.strategy(told))
    def check(value: Any) -> None:
        adapter.validate_python(value)

    check()


@pytest.mark.parametrize(
    ("annotation", "bounds"),
    [
        (int, {"ge": 3, "lt": 200}),
        (int, {"multiple_of": 7, "gt": 10}),
        (float, {"gt": 0, "lt": 1}),
        (float, {"ge": 0, "allow_inf_nan": False}),
        (str, {"min_length": 3, "max_length": 5}),
        (str, {"pattern": "^[a-z]{2}-[0-9]+$"}),
        (list[int], {"min_length": 1, "max_length": 2}),
        (decimal.Decimal, {"ge": 0, "max_digits": 5, "decimal_places": 2}),
        (datetime.date, {"ge": datetime.date(2020, 1, 1)}),
        (Optional[int], {"le": 5}),  # noqa: UP045
    ],
    ids=str,
)
def test_pydantic_accepts_what_is_drawn_within_bounds(annotation: Any, bounds: dict[str, Any]) -> None:
    """The bounds of Field(...) are read as pydantic applies them."""
    pydantic = pytest.importorskip("pydantic", minversion="2")
    test_pydantic_accepts_what_is_drawn(Annotated[annotation, pydantic.Field(**bounds)])


def test_ints_stay_within_what_prefect2_takes() -> None:
    """Prefect 2.20 fails on a parameter beyond 64 bits, so no pair is called different for that."""
    assert not domains.accepts({"type": "int"}, 2**63)
    assert not domains.accepts({"type": "int"}, -(2**63) - 1)
    assert max(edges.edges({"type": "int"})) == 2**63 - 1


def test_membership_is_strict() -> None:
    """A bool is no int, an int no float, a date no datetime, a list no tuple."""
    assert not domains.accepts({"type": "int"}, True)
    assert not domains.accepts({"type": "float"}, 1)
    assert not domains.accepts({"type": "date"}, datetime.datetime(2024, 1, 1))
    assert not domains.accepts({"type": "tuple_of", "items": {"type": "int"}}, [1])
    assert not domains.accepts({"type": "datetime", "aware": True}, datetime.datetime(2024, 1, 1))


def test_unknown_parts_are_left_out_where_they_can_be() -> None:
    """An optional field or an option that cannot be told is dropped; a required one spoils the whole."""
    unknown = {"type": "unknown", "annotation": "Frame"}
    assert domains.told({"type": "union", "options": [unknown, {"type": "int"}]}) == {
        "type": "union",
        "options": [{"type": "int"}],
    }
    assert domains.told({"type": "union", "options": [unknown, {"type": "none"}]}) is None
    assert domains.told({"type": "list", "items": unknown}) is None
    fields = {"a": {"type": unknown, "required": True}}
    assert domains.told({"type": "model", "class": "M", "fields": fields}) is None


def test_parameter_decodes_its_default() -> None:
    """A default comes as an object of its own each time."""
    parameter = Parameter.from_message(signatures.describe_parameter("x", [1, [2]], False))
    first = parameter.default_value()
    first.append(3)
    assert parameter.default_value() == [1, [2]]
    with pytest.raises(ValueError, match="has no default"):
        Parameter("y", True).default_value()
