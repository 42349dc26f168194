"""Comparing values: exact paths, nothing equal by silence, every rule counted."""

from __future__ import annotations

import copy
import datetime
import functools
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equivalence.compare.paths import covers, steps
from equivalence.compare.render import render
from equivalence.compare.rules import ValueRules, is_ignored
from equivalence.compare.tree import Value
from equivalence.compare.values import ValueComparison, compare_values
from equivalence.inside.values import Spool, encode


def value_of(value: object, spool: Path | None = None) -> Value:
    """A value as the host gets it: through JSON text, large ones through a spool file."""
    pieces = Spool(spool) if spool else None
    envelope = json.loads(json.dumps(encode(value, pieces)))
    if pieces is not None:
        pieces.close()

    def read(offset: int, length: int) -> bytes:
        assert spool is not None
        with spool.open("rb") as file:
            file.seek(offset)
            return file.read(length)

    return Value.from_envelope(envelope, read)


def compare(v1: object, v2: object, rules: ValueRules | None = None) -> ValueComparison:
    """Compare two Python values at the path ``result``."""
    return compare_values(value_of(v1), value_of(v2), path="result", rules=rules or ValueRules())


def found(v1: object, v2: object, rules: ValueRules | None = None) -> list[tuple[str, str, str, str]]:
    """The differences as tuples."""
    return [(d.path, d.v1, d.v2, d.note) for d in compare(v1, v2, rules).differences]


leaves = st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=3)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=15,
)


def places(value: Any) -> list[tuple[Any, ...]]:
    """Every leaf as the keys that lead to it."""
    if isinstance(value, dict):
        return [(key, *rest) for key in value for rest in places(value[key])]
    if isinstance(value, list | tuple):
        return [(index, *rest) for index, member in enumerate(value) for rest in places(member)]
    return [()]


def planted(value: Any, place: tuple[Any, ...]) -> Any:
    """A copy with another leaf at ``place``."""
    if not place:
        return "planted leaf"
    inner = planted(value[place[0]], place[1:])
    if isinstance(value, dict):
        return {**value, place[0]: inner}
    changed = [*value[: place[0]], inner, *value[place[0] + 1 :]]
    return tuple(changed) if isinstance(value, tuple) else changed


def path_of(place: tuple[Any, ...]) -> str:
    """The place as the report writes it."""
    text = "result"
    for key in place:
        if isinstance(key, int):
            text += f"[{key}]"
        elif key.isidentifier():
            text += f".{key}"
        else:
            text += f"[{json.dumps(key, ensure_ascii=not key.isprintable())}]"
    return text


@given(st.data())
def test_a_planted_change_is_found_where_it_is(data: st.DataObject) -> None:
    """One changed leaf of a random value is one difference with exactly its path, whichever side has it."""
    value = data.draw(trees.filter(places))
    place = data.draw(st.sampled_from(places(value)))
    changed = planted(value, place)
    assert [d[0] for d in found(value, changed)] == [path_of(place)]
    assert [d[0] for d in found(changed, value)] == [path_of(place)]


@given(trees)
def test_a_copy_is_equal(value: object) -> None:
    """A deep copy differs nowhere, and something was compared."""
    comparison = compare(value, copy.deepcopy(value))
    assert comparison.equal
    assert comparison.compared > 0


@given(trees, trees)
def test_different_digests_always_give_a_difference(one: object, other: object) -> None:
    """Without rules, no two values with different digests come out equal."""
    v1, v2 = value_of(one), value_of(other)
    comparison = compare_values(v1, v2, path="result", rules=ValueRules())
    assert comparison.equal == (v1.digest == v2.digest)


NOON = datetime.datetime(2024, 1, 1, 12)


@pytest.mark.parametrize(
    ("one", "other", "path", "note"),
    [
        ([True], [1], "result[0]", "type: bool and int"),
        ([1, 2], [1.0, 2], "result[0]", "type: int and float"),
        ({"a": 0.0}, {"a": -0.0}, "result.a", "sign of zero"),
        ((1, 2), [1, 2], "result", "type: tuple and list"),
        (
            {"t": NOON},
            {"t": NOON.replace(tzinfo=datetime.timezone.utc)},
            "result.t",
            "time zone on one side only",
        ),
        ({"__x": 1}, {"__x": 2}, "result.__x", ""),
        ([3, 1, 2], [1, 2, 3], "result", "same members in another order"),
        ({"a b": [1]}, {"a b": [2]}, 'result["a b"][0]', ""),
        ({1: "x"}, {1: "y"}, "result[1]", ""),
        ({"k": 1}, {}, "result.k", "only in v1"),
        ([1, 2], [1, 2, 3], "result[2]", "only in v2"),
        (ValueError("a"), ValueError("b"), "result.message", ""),
        (ValueError("a"), TypeError("a"), "result", "type: ValueError and TypeError"),
        (int, float, "result", ""),
        ({"a": None}, {"a": {}}, "result.a", "type: None and dict"),
    ],
)
def test_differences_are_located_and_noted(one: object, other: object, path: str, note: str) -> None:
    """Each of these pairs is one difference, with its path and a note that says why texts may look alike."""
    assert [(d[0], d[3]) for d in found(one, other)] == [(path, note)]


def test_true_and_one_as_keys_differ() -> None:
    """``{True: 1}`` and ``{1: 1}`` have different keys."""
    assert [(d[0], d[3]) for d in found({True: 1}, {1: 1})] == [
        ("result[True]", "only in v1"),
        ("result[1]", "only in v2"),
    ]


def test_repeated_members_count() -> None:
    """``[1, 1, 2]`` and ``[1, 2, 2]`` differ, as lists and without order."""
    assert not compare([1, 1, 2], [1, 2, 2]).equal
    assert not compare([1, 1, 2], [1, 2, 2], ValueRules(unordered={"result": None})).equal


def test_nan_is_nan() -> None:
    """NaN equals NaN, beside a difference as well."""
    assert compare([float("nan"), 1], [float("nan"), 1]).equal
    assert [d[0] for d in found([float("nan"), 1], [float("nan"), 2])] == ["result[1]"]


def test_texts_tell_types_apart() -> None:
    """Where two texts would look the same the types are shown."""
    assert found(1, 1.0)[0][1:3] == ("1 (int)", "1.0 (float)")
    one, other = found("x" * 500 + "a", "x" * 500 + "b")[0][1:3]
    assert one != other
    assert max(len(one), len(other)) <= 200


def test_an_insertion_is_one_difference() -> None:
    """A row inserted at the head, removed from the middle, or moved is one difference."""
    rows = [{"id": i, "name": f"n{i}"} for i in range(3000)]
    assert [(d[0], d[3]) for d in found(rows, [{"id": -1}, *rows])] == [("result[0]", "only in v2")]
    assert [(d[0], d[3]) for d in found(rows, rows[:7] + rows[8:])] == [("result[7]", "only in v1")]
    few = rows[:5]
    moved = [few[4], *few[:4], {"id": 9}]
    assert ("result[0]", "moved from index 4 in v1") in [(d[0], d[3]) for d in found(few, moved)]


def test_an_insertion_beside_a_change_pairs_the_rows_that_are_alike() -> None:
    """An inserted row next to a changed one: the changed row is matched with itself."""
    row = {"id": 1, "name": "first", "total": 5, "kind": "a"}
    inserted = {"id": 7, "name": "other", "total": 9, "kind": "b"}
    differences = found([row], [inserted, {**row, "total": 6}])
    assert [(d[0], d[3]) for d in differences] == [("result[0].total", ""), ("result[0]", "only in v2")]


def test_differences_are_capped_and_the_rest_counted() -> None:
    """Fifty are listed, the rest is a number."""
    comparison = compare(list(range(200)), list(range(1000, 1200)))
    assert (len(comparison.differences), comparison.more) == (50, 150)


def test_opaque_is_never_equal_by_silence() -> None:
    """Opaque on both sides is listed and not compared; on one side it is a difference."""
    both = compare([print, 2], [print, 2])
    assert (both.equal, both.opaque, both.compared) == (True, ("result[0]",), 2)
    nested = compare({"a": [{"f": print, "x": 1}]}, {"a": [{"f": print, "x": 2}]})
    assert [d.path for d in nested.differences] == ["result.a[0].x"]
    assert nested.opaque == ("result.a[0].f",)
    one = compare([print], [1])
    assert [d.path for d in one.differences] == ["result[0]"]
    assert one.opaque == ("result[0]",)


def test_ignored_places_are_counted_by_pattern() -> None:
    """A pattern sets differences aside at and below its path, and says how many."""
    one = {"run_id": 1, "rows": [{"ts": 1, "x": 1}, {"ts": 2, "x": 1}]}
    other = {"run_id": 2, "rows": [{"ts": 3, "x": 1}, {"ts": 4, "x": 5}]}
    rules = ValueRules(ignore=("result.run_id", "result.rows[*].ts"))
    comparison = compare(one, other, rules)
    assert [d.path for d in comparison.differences] == ["result.rows[1].x"]
    assert comparison.ignored == {"result.run_id": 1, "result.rows[*].ts": 2}
    everything = compare(one, other, ValueRules(ignore=("result",)))
    assert (everything.equal, everything.compared) == (True, 0)
    assert is_ignored("result.rows[7].ts", rules) == "result.rows[*].ts"
    assert is_ignored("result.rows[7].x", rules) is None


def test_tolerance_is_for_numbers_below_its_path() -> None:
    """Numbers within the tolerance are equal and counted; elsewhere they are not, nor is a bool a number."""
    rules = ValueRules(tolerance={"result.t": 1e-9})
    close = compare({"t": [1.0, 2]}, {"t": [1.0 + 1e-12, 2.0]}, rules)
    assert (close.equal, close.normalised) == (True, {"tolerance result.t": 2})
    assert [d[0] for d in found({"t": 1.0, "u": 1.0}, {"t": 1.1, "u": 1.0 + 1e-12}, rules)] == [
        "result.t",
        "result.u",
    ]
    assert not compare({"t": 1}, {"t": True}, rules).equal


def test_unordered_rows_are_matched_by_key() -> None:
    """Rows in another order match by key, a changed one is named by its key, and a missing one is told."""
    rules = ValueRules(unordered={"result.rows": "id"})
    one = {"rows": [{"id": 1, "x": 2}, {"id": 2, "x": 3}, {"id": 3, "x": 4}]}
    other = {"rows": [{"id": 2, "x": 9}, {"id": 1, "x": 2}]}
    assert [(d[0], d[3]) for d in found(one, other, rules)] == [
        ("result.rows[id=2].x", ""),
        ("result.rows[id=3]", "only in v1"),
    ]
    assert compare(one, {"rows": one["rows"][::-1]}, rules).normalised == {"unordered result.rows": 1}


def test_the_comparator_is_asked_where_trees_differ() -> None:
    """True settles a place and is counted, False is a difference there, None leaves it to the comparison."""
    asked = []

    def hook(verdict: bool | None, path: str, v1: Any, v2: Any) -> bool | None:
        asked.append((path, v1, v2))
        return verdict if path == "result.a" else None

    one, other = {"a": [1], "b": 1}, {"a": [2], "b": 1}
    settled = compare(one, other, ValueRules(comparator=functools.partial(hook, True)))
    assert (settled.equal, settled.normalised) == (True, {"comparator": 1})
    assert asked == [("result", one, other), ("result.a", [1], [2])]
    refused = found(one, other, ValueRules(comparator=functools.partial(hook, False)))
    assert refused == [("result.a", "[1]", "[2]", "by the comparator")]


def test_shared_and_deep_values_are_compared() -> None:
    """A change below sixty doublings ends quickly; one below nine hundred levels is found."""
    values = []
    for leaf in (1, 2):
        value: list[Any] = [leaf, 2, 3]
        for _ in range(60):
            value = [value, value]
        values.append(value)
    start = time.perf_counter()
    assert len(compare(values[0], values[1]).differences) == 50
    assert time.perf_counter() - start < 60
    deep = []
    for name in ("a", "b"):
        nested: Any = name
        for _ in range(900):
            nested = [nested]
        deep.append(nested)
    assert [d[0] for d in found(*deep)] == ["result" + "[0]" * 900]


def test_spooled_values_are_compared(tmp_path: Path) -> None:
    """Large values are read from their spool files, and the path is exact."""
    one = list(range(100_000))
    other = [*one[:77_777], -1, *one[77_778:]]
    v1, v2 = value_of(one, tmp_path / "1"), value_of(other, tmp_path / "2")
    assert v1.at is not None
    assert [d.path for d in compare_values(v1, v2, path="result", rules=ValueRules()).differences] == ["result[77777]"]


def test_frames_of_pandas(tmp_path: Path) -> None:
    """A cell, a dtype, a column, a row, the index: each is one difference at its place."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": range(20000), "b": [f"n{i}" for i in range(20000)]})
    changed = frame.copy()
    changed.loc[17_000, "b"] = "changed"
    comparison = compare_values(
        value_of(frame, tmp_path / "1"), value_of(changed, tmp_path / "2"), path="result", rules=ValueRules()
    )
    assert [(d.path, d.v2) for d in comparison.differences] == [('result["b"][17000]', "'changed'")]
    few = frame.head(5)
    assert [d[0] for d in found(few, few.astype({"a": "int32"}))] == ['result["a"].dtype']
    assert [d[0] for d in found(few, few.rename(columns={"a": "z"}))] == ['result["a"]', 'result["z"]']
    assert [d[0] for d in found(few, few.drop(2).reset_index(drop=True))] == ["result[2]"]
    assert [d[0] for d in found(few, few.set_axis([5, 6, 7, 8, 9]))] == ["result.index"]
    assert [d[0] for d in found(few["a"], few["a"].rename("q"))] == ["result.name"]
    assert not compare([few], [few.assign(a=0)]).equal
    rules = ValueRules(unordered={"result": "a"}, ignore=("result.index",))
    assert compare(few, few.iloc[::-1], rules).equal


def test_rules_hold_where_rows_look_swapped() -> None:
    """Members equal but for what is ignored or tolerated are not taken for reordered or inserted ones."""
    one, other = [{"ts": 1, "x": 1}, {"ts": 2, "x": 1}], [{"ts": 2, "x": 1}, {"ts": 1, "x": 1}]
    assert compare(one, other, ValueRules(ignore=("result[*].ts",))).equal
    numbers = [1.0, 1.1, 1.2, 1.3]
    assert compare(numbers, [*numbers[1:], 1.4], ValueRules(tolerance={"result": 0.2})).equal
    rules = ValueRules(ignore=("result.other",))
    assert [d[3] for d in found([3, 1, 2], [1, 2, 3], rules)] == ["same members in another order"]


def test_key_order_in_object_columns_does_not_count() -> None:
    """Dicts in a column of objects are equal whatever the order of their keys."""
    pd = pytest.importorskip("pandas")
    one, other = (pd.DataFrame({"o": [d]}) for d in ({"a": 1, "b": 2}, {"b": 2, "a": 1}))
    assert encode(one)["digest"] == encode(other)["digest"]


def test_arrays_of_numpy() -> None:
    """A cell of an array is located by all its indexes; shapes are compared; NaN equals NaN."""
    np = pytest.importorskip("numpy")
    one = np.arange(6.0).reshape(2, 3)
    other = one.copy()
    other[1, 2] = 9
    assert [d[0] for d in found(one, other)] == ["result[1][2]"]
    assert [d[0] for d in found(one, one.T)] == ["result.shape"]
    assert compare(np.array([np.nan]), np.array([np.nan])).equal
    assert compare(np.int64(5), 5).normalised == {"numpy-scalar": 1}


def test_frames_of_polars() -> None:
    """A cell of a polars frame is located; a frame of pandas is another thing."""
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert [d[0] for d in found(frame, frame.with_columns(b=pl.Series(["x", "y"])))] == ['result["b"][1]']


def test_patterns() -> None:
    """A pattern covers its own path and everything below; ``*`` is any one step."""
    assert steps('tasks.load.result[*]["a b"].ts') == ("tasks", "load", "result", "*", "a b", "ts")
    assert covers("result.*.x", steps("result.a.x[3]"))
    assert covers('result["a"]', steps("result.a"))
    assert not covers("result.a.b", steps("result.a"))
    assert not covers("result.ab", steps("result.a"))
    assert not covers("result[1]", steps('result["1"]'))


def test_rendering_is_short() -> None:
    """Texts have at most two hundred characters, whatever they show."""
    for value in (
        list(range(10_000)),
        "x" * 10_000,
        {str(i): [i] * 50 for i in range(500)},
        b"x" * 9999,
        10**5000,
    ):
        envelope = encode(value)
        assert len(render(envelope["root"], envelope.get("shared"))) <= 200
    assert render(encode({"a": (1,), "b": {2}})["root"]) == "{'a': (1,), 'b': {2}}"
