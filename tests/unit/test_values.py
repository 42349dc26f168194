"""The encoder: what it tells apart, what it survives, what comes back."""

from __future__ import annotations

import ast
import collections
import copy
import dataclasses
import datetime
import decimal
import enum
import json
import math
import pathlib
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import equivalence.inside
from equivalence.inside import encoder, values
from equivalence.inside.values import decode, encode

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=4)
    | st.binary(max_size=4)
    | st.decimals()
    | st.datetimes()
    | st.datetimes(timezones=st.timezones())
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.uuids()
    | st.complex_numbers()
)
keys = st.none() | st.booleans() | st.integers(-2, 2) | st.text(max_size=3)
nested = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.sets(st.integers(0, 5) | st.text(max_size=2), max_size=4)
    ),
    max_leaves=12,
)


def identical(one: Any, other: Any) -> bool:
    """Strict equality: types and signs of zero apart, NaN is NaN, order of dicts and sets ignored."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        same_sign = math.copysign(1, one) == math.copysign(1, other)
        return (math.isnan(one) and math.isnan(other)) or (one == other and same_sign)
    if isinstance(one, complex):
        return identical(one.real, other.real) and identical(one.imag, other.imag)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(identical, one, other))
    if isinstance(one, dict):
        typed1, typed2 = ({(type(k), k): v for k, v in d.items()} for d in (one, other))
        return typed1.keys() == typed2.keys() and all(identical(v, typed2[k]) for k, v in typed1.items())
    if isinstance(one, datetime.datetime | datetime.time | decimal.Decimal):
        return str(one) == str(other)
    return bool(one == other)


def opaque_whys(value: Any) -> list[str]:
    """Why members of a value are opaque."""
    return [entry["why"] for entry in encode(value)["opaque"]]


@given(nested)
def test_encoding_is_deterministic(value: object) -> None:
    """A value and a deep copy of it have the same envelope."""
    assert json.dumps(encode(value)) == json.dumps(encode(copy.deepcopy(value)))


@given(nested, nested)
def test_digests_are_equal_exactly_for_identical_values(one: object, other: object) -> None:
    """Two values share a digest if and only if a strict comparison calls them identical."""
    assert (encode(one)["digest"] == encode(other)["digest"]) == identical(one, other)


@given(nested)
def test_plain_values_come_back(value: Any) -> None:
    """Decoding what was encoded gives an identical value, also after a trip through JSON text."""
    envelope = json.loads(json.dumps(encode(value)))
    back = decode(envelope["root"], envelope.get("shared"))
    assert encode(back)["digest"] == envelope["digest"]
    assert identical(back, value)


class Colour(enum.Enum):
    """An enum."""

    RED = 1
    BLUE = 2


class Level(enum.IntEnum):
    """An enum that is an int."""

    ONE = 1


@dataclasses.dataclass
class Point:
    """A dataclass."""

    x: object
    __hidden: int = 0

    def hide(self, value: int) -> Point:
        """Set the private attribute."""
        self.__hidden = value
        return self


class Slotted:
    """A class with slots."""

    __slots__ = ("__b", "a")

    def __init__(self, a: int, b: int) -> None:
        self.a = a
        self.__b = b


Pair = collections.namedtuple("Pair", "left right")


class Text(str):
    """A subclass of a builtin."""


UTC = datetime.timezone.utc
NOON = datetime.datetime(2024, 1, 1, 12)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        (0.0, -0.0),
        ([1], [True]),
        ([1, 2], [1.0, 2.0]),
        ({True: 1}, {1: 1}),
        ({1: 1}, {"1": 1}),
        ([1], (1,)),
        ([0.0], [-0.0]),
        ({1}, frozenset({1})),
        (b"a", "a"),
        (b"a", bytearray(b"a")),
        ("\ud83d\ude00", "\U0001f600"),
        (["\ud83d\ude00"], ["\U0001f600"]),
        ({"\ud83d\ude00": 1}, {"\U0001f600": 1}),
        ({"a": "\ud83d\ude00"}, {"a": "\U0001f600"}),
        (decimal.Decimal("1.0"), decimal.Decimal("1.00")),
        (NOON, NOON.replace(tzinfo=UTC)),
        (NOON, datetime.date(2024, 1, 1)),
        (Colour.RED, Colour.BLUE),
        (Level.ONE, 1),
        (Point(1), Point(2)),
        (Point(1), Point(1).hide(1)),
        (Slotted(1, 2), Slotted(1, 3)),
        (Pair(1, 2), (1, 2)),
        (Text("a"), "a"),
        (collections.OrderedDict(a=1, b=2), collections.OrderedDict(b=2, a=1)),
        (collections.OrderedDict(a=1), {"a": 1}),
        (ValueError("a"), TypeError("a")),
        (ValueError("a"), ValueError("b")),
        (int, float),
        ({"__x": 1}, {"__x": 2}),
        ([1, 1, 2], [1, 2, 2]),
        (range(3), [0, 1, 2]),
        (10**5000, 10**5000 + 1),
        (None, "None"),
        ({"t": "list"}, ["list"]),
        ([[1], 2], [[1, 2]]),
        (pathlib.PurePosixPath("a"), "a"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_different_values_have_different_digests(one: object, other: object) -> None:
    """Values that Python or a comparison library may call equal keep different digests."""
    assert encode(one)["digest"] != encode(other)["digest"]


def test_order_of_keys_and_of_sets_does_not_count() -> None:
    """Dicts that differ in the order of their keys share a digest, and the order is kept for display."""
    one, other = encode({"b": 1, "a": 2}), encode({"a": 2, "b": 1})
    assert one["digest"] == other["digest"]
    assert list(one["root"]["v"]) == ["b", "a"]
    assert encode({"a", "b", "c", "d"})["digest"] == encode({"d", "c", "b", "a"})["digest"]


def test_sharing_does_not_count() -> None:
    """A list that holds one object twice has the digest of one that holds two equal objects."""
    member = list(range(20))
    shared, apart = encode([member, member]), encode([member, list(member)])
    assert shared["digest"] == apart["digest"]
    assert [node["t"] for node in shared["root"]["v"]] == ["ref", "ref"]
    assert decode(shared["root"], shared["shared"]) == [member, member]


def test_doubling_references_stay_small() -> None:
    """Sixty levels of a list holding the one below twice are encoded at once, in little JSON."""
    value: list[Any] = [1, 2, 3]
    for _ in range(60):
        value = [value, value]
    start = time.perf_counter()
    envelope = encode(value)
    assert time.perf_counter() - start < 1
    assert envelope["opaques"] == 0
    assert len(json.dumps(envelope)) < 20_000


def test_cycles_end() -> None:
    """A cycle is a leaf that says how far up it leads, so that equal cycles are equal."""
    made = []
    for tail in (1, 1, 2):
        value: list[Any] = [tail]
        value.append({"back": value})
        made.append(encode(value))
    assert made[0]["root"]["v"][1]["v"]["back"] == {"t": "cycle", "up": 2}
    assert made[0]["digest"] == made[1]["digest"] != made[2]["digest"]


def test_a_dense_graph_ends_quickly() -> None:
    """Objects that all point to each other do not unroll for ever: the rest is opaque."""
    nodes: list[dict[str, Any]] = [{"name": number} for number in range(30)]
    for node in nodes:
        node["others"] = list(nodes)
    start = time.perf_counter()
    envelope = encode(nodes)
    assert time.perf_counter() - start < 10
    assert envelope["opaques"] > 0


def test_deep_nesting_is_cut_and_said() -> None:
    """Five thousand levels: a thousand are encoded, the rest is opaque, JSON stays shallow."""
    value: list[Any] = []
    for _ in range(5000):
        value = [value]
    envelope = encode(value)
    assert envelope["opaque"][0]["why"] == "nested deeper than 1000 levels"
    assert len(envelope["shared"]) == 15
    json.loads(json.dumps(envelope))


def test_deep_plain_data_comes_back() -> None:
    """Nine hundred levels, hoisted in steps of 64, are decoded as they were."""
    value: Any = "end"
    for _ in range(300):
        value = [value]
    envelope = encode(value)
    assert decode(envelope["root"], envelope["shared"]) == value


def test_large_values_go_to_the_spool(tmp_path: pathlib.Path) -> None:
    """Ten megabytes of text stand in the spool file, and the envelope says where."""
    spool = values.Spool(tmp_path / "spool")
    envelope = encode("x" * 10_000_000, spool)
    spool.close()
    offset, length = envelope["at"]
    assert "root" not in envelope
    assert json.loads((tmp_path / "spool").read_bytes()[offset : offset + length])["root"] == "x" * 10_000_000
    assert envelope["digest"] == encode("x" * 10_000_000)["digest"]


def test_large_integers_come_back() -> None:
    """Five thousand digits travel as hexadecimal, alone, in lists and in dicts."""
    for value in (10**5000, [1, 10**5000], {"a": -(10**5000)}):
        assert decode(encode(value)["root"]) == value


class Liar:
    """Everything that can raise raises."""

    __class__ = int  # type: ignore[assignment]

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        raise ValueError("no")

    def __eq__(self, other: object) -> bool:
        raise ValueError("no")

    def __hash__(self) -> int:
        raise ValueError("no")

    def __repr__(self) -> str:
        raise ValueError("no")

    def __getattribute__(self, name: str) -> Any:
        raise ValueError("no")


def test_lying_objects_are_opaque() -> None:
    """An object that hides its attributes, and an exception without a message, raise nothing here."""

    class Silent(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert opaque_whys([Liar()]) == ["its class hides __dict__"]
    assert encode(Silent(1))["root"]["message"] is None


class Raising(datetime.tzinfo):
    """A time zone that raises."""

    def utcoffset(self, when: datetime.datetime | None) -> datetime.timedelta:
        """Asked by datetime."""
        raise KeyError(when)

    def dst(self, when: datetime.datetime | None) -> None:
        """Asked by datetime."""
        return None

    def tzname(self, when: datetime.datetime | None) -> str:
        """Asked by datetime."""
        return "raising"


def iter_nothing() -> Iterator[int]:
    """A generator."""
    yield from ()


def test_what_has_no_tree_is_opaque_with_its_path() -> None:
    """Functions, modules, locks, generators and failures are opaque; path and reason are told."""
    import threading

    value = {
        "f": print,
        "l": [lambda: 1],
        "m": ast,
        "g": iter_nothing(),
        "k": threading.Lock(),
        "o": object(),
    }
    envelope = encode(value)
    assert envelope["opaques"] == 6
    assert envelope["opaque"][1] == {"path": ".l[0]", "why": "a function"}
    assert opaque_whys(NOON.replace(tzinfo=Raising())) == ["encoding raised KeyError"]
    assert opaque_whys({1: print, 2: 2}) == ["a function"]


def test_too_many_nodes_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the rest of a value is opaque."""
    monkeypatch.setattr(encoder, "MAX_NODES", 100)
    assert opaque_whys([[object, i] for i in range(1000)])[0] == "more than 100 nodes"


def test_classes_of_libraries_carry_their_module() -> None:
    """User classes are named without their module, library classes with it."""
    assert encode(decimal.DivisionByZero("x"))["root"]["c"] == "decimal:DivisionByZero"
    assert encode(ValueError())["root"]["c"] == "builtins:ValueError"
    assert encode(Point(1))["root"]["c"] == "Point"


def test_opaque_and_class_nodes_do_not_decode() -> None:
    """Only plain data becomes values again."""
    for value in (print, Point(1), int, Colour.RED):
        with pytest.raises(ValueError, match="no plain data"):
            decode(encode(value)["root"])


def test_plain_kinds_come_back() -> None:
    """The kinds that parameters have, one of each."""
    value = [
        uuid.UUID(int=5),
        pathlib.Path("a/b"),
        datetime.timedelta(-1, 2, 3),
        {1: {2}},
        2j,
        bytearray(b"x"),
        -0.0,
    ]
    assert repr(decode(encode(value)["root"])) == repr(value)


def test_numpy(tmp_path: pathlib.Path) -> None:
    """Scalars count as Python's numbers, arrays differ by values, dtype, shape; NaN is NaN."""
    np = pytest.importorskip("numpy")
    assert encode(np.int64(5))["digest"] == encode(5)["digest"]
    assert encode([np.float64(5), np.True_])["skews"] == {"numpy-scalar": 2}
    digests = [
        encode(array)["digest"]
        for array in (
            np.arange(6),
            np.arange(6).reshape(2, 3),
            np.arange(6.0),
            np.arange(6, dtype="i4"),
            np.array([0, 1, 2, 3, 4, 6]),
            np.array(["a"]),
            np.array([b"a"]),
            np.array([1, "a"], dtype=object),
            np.array([(1, 2.0)], dtype="i4,f8"),
            np.array(["2024-01-01"], dtype="M8[s]"),
            np.array([1j]),
            np.ma.array([1, 2], mask=[0, 1]),
            list(range(6)),
        )
    ]
    assert len(set(digests)) == len(digests)
    assert encode(np.array([np.nan, 1.0]))["digest"] == encode(np.array([-np.nan, 1.0]))["digest"]
    assert encode(np.arange(3, dtype=">i8"))["digest"] == encode(np.arange(3))["digest"]
    spool = values.Spool(tmp_path / "s")
    spooled = encode(np.arange(20000), spool)
    spool.close()
    assert spooled["root"]["column"]["at"] == [[0, 65536], [65536, 65536], [131072, 28928]]
    assert spooled["digest"] == encode(np.arange(20000))["digest"]


def test_pandas() -> None:
    """Frames differ by cells, dtypes, names, index and rows; the two ways to hold text are one."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None], "c": [0.5, None, 1.5]})
    others = [
        frame.assign(a=[1, 2, 4]),
        frame.assign(a=[1.0, 2.0, 3.0]),
        frame.rename(columns={"a": "z"}),
        frame.iloc[1:],
        frame.set_index("a"),
        frame[["b", "a", "c"]],
        frame.assign(b=pd.Categorical(["x", "y", None])),
        frame.set_index(["a", "b"]),
        frame.assign(d=pd.date_range("2024", periods=3)),
        frame.rename_axis("n"),
        frame.assign(d=pd.date_range("2024", periods=3, tz="UTC")),
        frame.assign(a=frame["a"].astype("Int64")),
        frame["a"],
        frame["b"],
        frame["a"].rename("q"),
        frame.index,
        pd.Timestamp("2024"),
        pd.NaT,
        pd.NA,
        pd.Timedelta(1),
        pd.Interval(0, 1),
        pd.Period("2024"),
        frame.iloc[:0],
        pd.DataFrame(),
    ]
    envelopes = [encode(value) for value in [frame, *others]]
    assert [e["opaque"] for e in envelopes if e["opaques"]] == []
    assert len({e["digest"] for e in envelopes}) == len(envelopes)
    assert encode(frame.copy())["digest"] == encode(frame)["digest"]
    as_object = frame.assign(b=frame["b"].astype(object))
    assert encode(as_object)["digest"] == encode(frame)["digest"]
    assert encode(as_object)["skews"]["string-dtype"] == 1


def test_polars() -> None:
    """Frames of polars differ by cells, types and names, and are no frames of pandas."""
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1, 2, None], "b": ["x", "y", "z"], "c": [[1], [2], []]})
    others = [
        frame.fill_null(0),
        frame.rename({"a": "z"}),
        frame.head(2),
        frame.with_columns(a=pl.col("a").cast(pl.Float64)),
    ]
    envelopes = [encode(value) for value in [frame, *others, frame["a"], frame["b"]]]
    assert all(e["opaques"] == 0 for e in envelopes)
    assert len({e["digest"] for e in envelopes}) == len(envelopes)
    assert encode(frame.clone())["digest"] == encode(frame)["digest"]


def test_functions_in_frames_are_opaque_at_their_cell() -> None:
    """An opaque member of a column is counted and located."""
    pd = pytest.importorskip("pandas")
    assert encode(pd.DataFrame({"f": [1, print]}))["opaque"] == [{"path": '["f"][1]', "why": "a function"}]


def test_what_runs_in_workers_is_python_3_7() -> None:
    """Every file of `equivalence.inside` parses with the grammar of Python 3.7."""
    folder = pathlib.Path(equivalence.inside.__path__[0])
    files = sorted(folder.glob("*.py"))
    assert files
    for file in files:
        ast.parse(file.read_text(encoding="utf-8"), filename=str(file), feature_version=(3, 7))
