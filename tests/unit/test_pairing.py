"""Pairing: each step of the table in pairing.py, what is never guessed, what the user is told to write."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equivalence.config import Overrides, PairSettings, Settings, Side, SideName, load_settings
from equivalence.errors import UsageProblem
from equivalence.flows import FileProblem, FlowInfo, flow_files, fold, pair_names, parse_selector
from equivalence.pairing import Pairing, pair_flows


def flow(side: SideName, file: str, name: str, variable: str | None = None, line: int | None = None) -> FlowInfo:
    """A flow of one side; its variable is called like its function would be."""
    return FlowInfo(side, file, f"flows_{side}/{file}", variable, name, "flow", line)


def old(file: str, name: str, variable: str | None = None, line: int | None = None) -> FlowInfo:
    """A v1 flow."""
    return flow("v1", file, name, variable, line)


def new(file: str, name: str, variable: str | None = None, line: int | None = None) -> FlowInfo:
    """A v2 flow."""
    return flow("v2", file, name, variable, line)


def builder(info: FlowInfo) -> FlowInfo:
    """The same as a function that builds the flow."""
    return replace(info, kind="builder")


def failed(side: SideName, file: str) -> FileProblem:
    """A file that did not load."""
    return FileProblem(side, file, f"flows_{side}/{file}", "Traceback: SyntaxError")


def configured(*pairs: PairSettings) -> Settings:
    """Settings with these pairs."""
    sides = (Side("v1", Path("/p/flows_v1")), Side("v2", Path("/p/flows_v2")))
    return Settings(Path("/p"), *sides, pairs={pair.name: pair for pair in pairs})


def paired(
    v1: Sequence[FlowInfo],
    v2: Sequence[FlowInfo],
    *pairs: PairSettings,
    problems: Sequence[FileProblem] = (),
) -> Pairing:
    """The pairing of these flows under these configured pairs."""
    return pair_flows(configured(*pairs), v1, v2, problems)


def matches(found: Pairing) -> dict[str, tuple[str, str]]:
    """Pair name → selectors of both flows."""
    return {pair.name: (pair.v1.selector, pair.v2.selector) for pair in found.pairs}


def refused(v1: Sequence[FlowInfo], v2: Sequence[FlowInfo], *pairs: PairSettings) -> str:
    """The message of the UsageProblem that these lead to."""
    with pytest.raises(UsageProblem) as caught:
        paired(v1, v2, *pairs)
    return str(caught.value)


class TestFiles:
    """Which files may hold flows."""

    def test_files_below_a_folder(self, tmp_path: Path) -> None:
        """Python files at any depth, sorted; package files, tests, hidden and built ones are none."""
        wanted = ["a/z.py", "b.py", "collections.py", "finance/orders.py"]
        others = [
            *("__init__.py", "conftest.py", "test_b.py", ".hidden.py", "notes.txt", "finance/__init__.py"),
            *("__pycache__/b.py", ".git/hook.py", "env/pyvenv.cfg", "env/lib/site.py"),
        ]
        for name in [*wanted, *others]:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("", encoding="utf-8")
        assert [path.relative_to(tmp_path).as_posix() for path in flow_files(tmp_path)] == wanted

    def test_an_empty_folder(self, tmp_path: Path) -> None:
        """No file, no flow, no error."""
        assert flow_files(tmp_path) == []


@pytest.mark.parametrize("text", ["Load Orders", "load_orders", "LOAD-orders", "load\torders", "loadorders"])
def test_folding(text: str) -> None:
    """Case, spaces, `-` and `_` do not count."""
    assert fold(text) == "loadorders"


def test_folding_keeps_what_is_nothing_else() -> None:
    """Two names made of separators alone stay apart; composed and decomposed letters are the same."""
    assert fold("_") != fold("--")
    assert fold("e\u0301te\u0301") == fold("\u00e9t\u00e9")


class TestByFile:
    """Step b: same relative path."""

    def test_same_path_and_name(self) -> None:
        """The name decides within a file, folded."""
        found = paired(
            [old("orders.py", "Load orders"), old("orders.py", "etl")],
            [new("orders.py", "ETL"), new("orders.py", "load-orders")],
        )
        assert matches(found) == {
            "orders::Load orders": ("flows_v1/orders.py::Load orders", "flows_v2/orders.py::load-orders"),
            "orders::etl": ("flows_v1/orders.py::etl", "flows_v2/orders.py::ETL"),
        }

    def test_the_name_goes_before_the_variable(self) -> None:
        """Where variables were swapped, names win, whatever other files have."""
        v1 = [old(file, *both) for file in ("a.py", "b.py") for both in (("x", "y"), ("y", "x"))]
        v2 = [new(file, *both) for file in ("a.py", "b.py") for both in (("x", "x"), ("y", "y"))]
        found = paired(v1, v2)
        assert [(one.v1.file, one.v1.name) for one in found.pairs] == [
            (one.v2.file, one.v2.name) for one in found.pairs
        ]
        assert len(found.pairs) == 4

    def test_the_variable_in_the_file_goes_before_the_name_in_another(self) -> None:
        """A flow of the same file and variable is the counterpart, not a namesake elsewhere."""
        found = paired([old("a.py", "n", "load")], [new("a.py", "x", "load"), new("b.py", "n", "z")])
        assert [pair.v2.file for pair in found.pairs] == ["a.py"]

    def test_same_path_and_variable(self) -> None:
        """A flow of another name is found by its variable, even one that says nothing elsewhere."""
        found = paired(
            [old("a.py", "Nightly", "flow"), old("a.py", "Hourly", "hourly")],
            [new("a.py", "nightly run", "flow"), new("a.py", "each hour", "hourly")],
        )
        assert {(pair.v1.variable, pair.v2.variable) for pair in found.pairs} == {
            ("flow", "flow"),
            ("hourly", "hourly"),
        }

    def test_one_file_goes_before_all_files(self) -> None:
        """A name that is in several files belongs to its own."""
        found = paired([old("a.py", "etl"), old("b.py", "etl")], [new("b.py", "etl"), new("a.py", "etl")])
        assert [(pair.v1.file, pair.v2.file) for pair in found.pairs] == [("a.py", "a.py"), ("b.py", "b.py")]


class TestAcrossFiles:
    """Step c: name or variable alone."""

    def test_by_name(self) -> None:
        """A flow whose file was renamed is found by its name, folded."""
        found = paired([old("a.py", "Load Orders"), old("a.py", "x")], [new("b.py", "load_orders")])
        assert [(pair.v1.name, pair.v2.name) for pair in found.pairs] == [("Load Orders", "load_orders")]

    def test_by_variable(self) -> None:
        """A variable stands for the name where it tells something."""
        found = paired([old("a.py", "Nightly", "load_orders"), old("a.py", "x")], [new("b.py", "load-orders", "f")])
        assert [pair.v1.name for pair in found.pairs] == ["Nightly"]

    def test_the_name_goes_before_the_variable(self) -> None:
        """A v2 flow with the name goes before one whose variable happens to be that."""
        found = paired([old("a.py", "load")], [new("b.py", "load"), new("c.py", "x", "load")])
        assert [pair.v2.file for pair in found.pairs] == ["b.py"]

    def test_a_variable_that_says_nothing_pairs_nothing(self) -> None:
        """Two flows in two files have nothing in common but the habit of calling the variable `flow`."""
        found = paired([old("clean.py", "clean up", "flow")], [new("billing.py", "billing", "flow")])
        assert (found.pairs, found.ambiguous, len(found.unpaired)) == ((), (), 2)


class TestByBeingTheOnlyOne:
    """Step d: file pairs."""

    @pytest.mark.parametrize(
        ("v1", "v2"),
        [
            ("orders.py", "orders.py"),
            ("finance/Load-Orders.py", "finance/load_orders.py"),
            ("finance/orders.py", "Orders.py"),
        ],
    )
    def test_the_only_flow_on_each_side(self, v1: str, v2: str) -> None:
        """Same path, folded path, or folded file name: the only flow of each is the other's counterpart."""
        assert len(paired([old(v1, "x")], [new(v2, "y")]).pairs) == 1

    def test_a_second_flow_in_the_file_forbids_it(self) -> None:
        """Which of two is the counterpart is not known, so it is asked."""
        found = paired([old("a.py", "x")], [new("a.py", "y"), new("a.py", "z")])
        assert found.pairs == ()
        assert [len(one.v2) for one in found.ambiguous] == [2]

    def test_file_names_that_are_not_unique(self) -> None:
        """The same file name in two folders is no file pair."""
        found = paired([old("a/orders.py", "x"), old("b/orders.py", "y")], [new("orders.py", "z")])
        assert found.pairs == ()

    def test_file_names_that_say_nothing(self) -> None:
        """`a/flow.py` and `b/flow.py` have nothing in common."""
        assert paired([old("a/flow.py", "x")], [new("b/flow.py", "y")]).pairs == ()

    def test_the_same_path_goes_before_the_same_name(self) -> None:
        """A file with its own counterpart is nobody else's."""
        found = paired([old("a.py", "x")], [new("a.py", "y"), new("sub/a.py", "z")])
        assert [pair.v2.file for pair in found.pairs] == ["a.py"]

    def test_names_within_a_file_pair(self) -> None:
        """A renamed file settles names that are in several files."""
        v1 = [old("Load-A.py", "x"), old("Load-A.py", "y"), old("Load-B.py", "x"), old("Load-B.py", "y")]
        v2 = [new(one.file.replace("-", "_"), one.name) for one in v1]
        assert [fold(pair.v1.file) == fold(pair.v2.file) for pair in paired(v1, v2).pairs] == [True] * 4


class TestConfigured:
    """Step a: pairs tables."""

    V1 = (
        old("orders.py", "Orders", "flow"),
        old("orders.py", "Refunds", "refunds"),
        old("sub/one.py", "One", "f"),
    )
    V2 = (new("orders.py", "orders", "orders"), new("other.py", "refunds", "refunds"), new("x.py", "x", "x"))

    @pytest.mark.parametrize(
        "selector",
        [
            "flows_v1/orders.py::flow",
            "orders.py::flow",
            "./flows_v1//orders.py::flow",
            "flows_v1\\orders.py::flow",
            "orders.py::Orders",
        ],
    )
    def test_ways_to_name_a_flow(self, selector: str) -> None:
        """By the path below the root or below the flows folder, and by variable or name."""
        found = paired(self.V1, self.V2, PairSettings("mine", v1=selector, v2="x.py"))
        assert matches(found)["mine"] == ("flows_v1/orders.py::flow", "flows_v2/x.py::x")

    def test_configured_goes_before_found(self) -> None:
        """A configured flow is not paired again with what it would have been found with."""
        found = paired(self.V1, self.V2, PairSettings("mine", v1="orders.py::flow", v2="x.py"))
        assert [pair.name for pair in found.pairs if pair.v1.variable == "flow"] == ["mine"]
        assert "flows_v2/orders.py::orders" in {one.flow.selector for one in found.unpaired}

    def test_a_flow_may_be_in_two_configured_pairs(self) -> None:
        """One old flow that became two is compared with both."""
        found = paired(
            self.V1,
            self.V2,
            PairSettings("one", v1="sub/one.py", v2="x.py"),
            PairSettings("two", v1="sub/one.py", v2="other.py"),
        )
        assert {"one", "two"} <= set(matches(found))

    def test_a_variable_goes_before_a_name(self) -> None:
        """A variable is unique in its module, so it decides where another flow has it for its name."""
        v1 = [old("a.py", "b", "a"), old("a.py", "x", "b")]
        found = paired(v1, [new("z.py", "z")], PairSettings("mine", v1="a.py::b", v2="z.py"))
        assert found.pairs[0].v1.name == "x"

    def test_a_builder(self) -> None:
        """`build()` means the function that builds, not a flow of that name."""
        v1 = [builder(old("a.py", "made", "build")), old("a.py", "build", "flow")]
        found = paired(v1, [new("z.py", "z")], PairSettings("mine", v1="a.py::build()", v2="z.py"))
        assert found.pairs[0].v1.selector == "flows_v1/a.py::build()"
        for wrong in ("a.py::flow()", "a.py::made()"):
            assert "names no v1 flow" in refused(v1, self.V2, PairSettings("mine", v1=wrong, v2="x.py"))

    def test_the_path_below_the_root_goes_first(self) -> None:
        """A folder inside the flows folder that has its name does not make a selector ambiguous."""
        v1 = [old("a.py", "x"), old("flows_v1/a.py", "y")]
        found = paired(v1, [new("z.py", "z")], PairSettings("mine", v1="flows_v1/a.py", v2="z.py"))
        assert found.pairs[0].v1.name == "x"

    def test_one_side_alone(self) -> None:
        """Where the table has one side, the other is the flow that has the table's name."""
        assert matches(paired(self.V1, self.V2, PairSettings("sub/one", v2="x.py")))["sub/one"][1] == "flows_v2/x.py::x"
        found = paired(self.V1, self.V2, PairSettings("x", v1="sub/one.py"))
        assert matches(found)["x"] == ("flows_v1/sub/one.py::f", "flows_v2/x.py::x")
        said = refused(self.V1, self.V2, PairSettings("sub/on", v2="x.py"))
        assert '[tool.equivalence.pairs."sub/on"] `v1`: is absent, and no v1 flow has the name "sub/on"' in said
        assert 'did you mean "sub/one"?' in said

    def test_every_selector_that_matches_nothing_is_listed(self) -> None:
        """One message, each with the nearest flow and those there are."""
        said = refused(self.V1, self.V2, PairSettings("mine", v1="flows_v1/ordrs.py::flow", v2="x.py::y"))
        assert said.splitlines() == [
            "pyproject.toml: 2 problems in [tool.equivalence]",
            '  [tool.equivalence.pairs.mine] `v1`: "flows_v1/ordrs.py::flow" names no v1 flow; did you mean '
            '"flows_v1/orders.py::flow"? Found: flows_v1/orders.py::flow, flows_v1/orders.py::refunds, '
            "flows_v1/sub/one.py::f",
            '  [tool.equivalence.pairs.mine] `v2`: "x.py::y" names no v2 flow; did you mean '
            '"flows_v2/x.py::x"? Found: flows_v2/x.py::x',
        ]

    def test_a_selector_that_matches_several(self) -> None:
        """A file with two flows needs the flow's name, and the candidates are listed."""
        said = refused(self.V1, self.V2, PairSettings("mine", v1="orders.py", v2="x.py"))
        assert '"orders.py" names several v1 flows: flows_v1/orders.py::flow, flows_v1/orders.py::refunds' in said

    def test_settings_reach_the_pair(self) -> None:
        """A table without flows speaks of the pair that was found; what it leaves open comes from all."""
        found = paired([old("a.py", "x")], [new("a.py", "x")], PairSettings("a", ignore=("result.id",)))
        assert (found.pairs[0].settings.ignore, found.pairs[0].settings.examples) == (("result.id",), 50)

    def test_settings_of_no_pair(self) -> None:
        """A table that speaks of nothing is a mistake, and the nearest pair is named."""
        said = refused([old("orders.py", "x")], [new("orders.py", "x")], PairSettings("order"))
        assert '[tool.equivalence.pairs.order] names no pair; did you mean "orders"?' in said
        assert "Found: orders" in said

    def test_settings_of_a_flow_that_has_gone_to_another_table(self) -> None:
        """A table by the found name says nothing once another table has taken its flow."""
        tables = (PairSettings("mine", v1="a.py", v2="a.py"), PairSettings("a", ignore=("x",)))
        assert "[tool.equivalence.pairs.a] names no pair" in refused([old("a.py", "x")], [new("a.py", "x")], *tables)

    def test_settings_of_a_flow_without_counterpart(self) -> None:
        """A pair whose v2 is not written yet, or did not load, is listed as such; its table is no mistake."""
        assert len(paired([old("a.py", "x")], [], PairSettings("a", examples=1)).unpaired) == 1
        assert paired([], [], PairSettings("a::x", examples=1), problems=[failed("v1", "a.py")]).pairs == ()

    def test_two_pairs_of_one_name(self) -> None:
        """A table that takes the name of a pair found by itself would make two pairs one in every report."""
        v1, v2 = [old("a.py", "x"), old("b.py", "y")], [new("a.py", "x"), new("b.py", "y")]
        assert "[tool.equivalence.pairs.b] has the name of a pair" in refused(
            v1, v2, PairSettings("b", v1="a.py", v2="a.py")
        )


class TestNotGuessed:
    """What is listed instead of guessed."""

    def test_an_ambiguous_name(self) -> None:
        """A name in two v2 files is listed with the lines that settle it, likeliest first."""
        found = paired([old("orders.py", "etl", "flow")], [new("a.py", "etl", "etl"), new("orders2.py", "ETL", "etl")])
        assert (found.pairs, found.unpaired) == ((), ())
        assert [one.configuration for one in found.ambiguous] == [
            '[tool.equivalence.pairs."orders"]\nv1 = "flows_v1/orders.py::flow"\n'
            'v2 = "flows_v2/orders2.py::etl"  # or "flows_v2/a.py::etl"'
        ]

    def test_unique_in_both_directions(self) -> None:
        """Two v1 flows that want one v2 flow get none, and each has its lines."""
        found = paired([old("a.py", "etl"), old("b.py", "etl")], [new("c.py", "etl")])
        assert found.pairs == ()
        assert [line for line in found.ambiguous[0].configuration.splitlines() if line.startswith("[")] == [
            '[tool.equivalence.pairs."a"]',
            '[tool.equivalence.pairs."b"]',
        ]

    def test_what_is_left_by_elimination_is_asked(self) -> None:
        """A name that was ambiguous is not settled by a weaker step that took the other flow."""
        found = paired([old("a.py", "etl"), old("b.py", "etl")], [new("c.py", "etl"), new("a.py", "other")])
        assert [(pair.v1.file, pair.v2.file) for pair in found.pairs] == [("a.py", "a.py")]
        assert [(one.v1[0].file, one.v2[0].file) for one in found.ambiguous] == [("b.py", "c.py")]

    def test_helpers_beside_a_pair_are_unpaired(self) -> None:
        """A v2 file holds subflows that v1 never had: listed, no error, no question."""
        found = paired([old("a.py", "etl"), old("a.py", "gone")], [new("a.py", "etl"), new("a.py", "part")])
        assert (len(found.pairs), found.ambiguous) == (1, ())
        assert [(one.side, one.flow.name) for one in found.unpaired] == [("v1", "gone"), ("v2", "part")]

    @given(st.data())
    @settings(max_examples=100, deadline=None)
    def test_the_lines_settle_it(self, data: st.DataObject) -> None:
        """Pasted into the configuration, the first table of an ambiguity makes the pair that it names."""
        found = paired(*drawn_flows(data))
        for one in found.ambiguous:
            header, first, second = one.configuration.splitlines()[:3]
            name, v1, v2 = (line.split('"')[1] for line in (header, first, second))
            again = paired(*data_of(found), PairSettings(name, v1=v1, v2=v2))
            assert matches(again)[name] == (v1, v2)


class TestNearest:
    """Flows without a counterpart."""

    def test_the_nearest_name(self) -> None:
        """The likest flow of the other side is named, one without a counterpart before others."""
        found = paired(
            [old("a.py", "customer"), old("old.py", "customers")],
            [new("a.py", "customer"), new("new.py", "custom")],
        )
        near = {one.flow.name: one.nearest and one.nearest.name for one in found.unpaired}
        assert near == {"customers": "custom", "custom": "customers"}

    def test_a_paired_flow_may_be_the_nearest(self) -> None:
        """Where nothing unpaired is like it, a flow that has its pair is."""
        found = paired([old("a.py", "orders"), old("a.py", "order")], [new("a.py", "orders")])
        assert [one.nearest and one.nearest.name for one in found.unpaired] == ["orders"]

    def test_nothing_like_it(self) -> None:
        """A flow that is like none has no nearest."""
        assert [one.nearest for one in paired([old("a.py", "etl")], [new("b.py", "xyz")]).unpaired] == [
            None,
            None,
        ]

    def test_hundreds_of_flows(self) -> None:
        """A portfolio of 500 flows a side, none paired, is paired within seconds."""
        start = time.monotonic()
        found = paired(
            [old(f"d{n % 20}/a{n * 7919}.py", f"old {n * 104729}", "flow") for n in range(500)],
            [new(f"e{n % 20}/b{n * 6007}.py", f"new {n * 15485863}", "flow") for n in range(500)],
        )
        assert len(found.unpaired) == 1000
        assert time.monotonic() - start < 10


class TestBroken:
    """Files that did not load."""

    @pytest.mark.parametrize("file", ["orders.py", "Or-ders.py"])
    def test_a_v2_file_that_did_not_load(self, file: str) -> None:
        """The v1 flows of its counterpart are broken pairs with the traceback, and no other file's."""
        found = paired(
            [old("orders.py", "x"), old("orders.py", "y")],
            [new("other.py", "x")],
            problems=[failed("v2", file)],
        )
        assert [one.name for one in found.broken] == ["orders::x", "orders::y"]
        assert found.broken[0].message == f"flows_v2/{file} did not load:\nTraceback: SyntaxError"
        assert (found.pairs, found.problems) == ((), ())
        assert [one.flow.side for one in found.unpaired] == ["v2"]

    def test_a_v1_file_that_did_not_load(self) -> None:
        """Its flows are not known: one broken pair by the file's name, with the v2 flows there are."""
        found = paired([], [new("f/orders.py", "x"), new("f/orders.py", "y")], problems=[failed("v1", "f/orders.py")])
        assert [(one.name, len(one.flows)) for one in found.broken] == [("f/orders", 2)]
        assert found.unpaired == ()

    def test_both_did_not_load(self) -> None:
        """One broken pair with both tracebacks."""
        found = paired([], [], problems=[failed("v2", "a.py"), failed("v1", "a.py")])
        assert [(one.name, [problem.side for problem in one.problems]) for one in found.broken] == [("a", ["v1", "v2"])]

    def test_other_pairs_go_on(self) -> None:
        """A file that did not load takes no other pair with it, nor a flow configured elsewhere."""
        found = paired(
            [old("a.py", "x"), old("b.py", "y")],
            [new("b.py", "y"), new("c.py", "z")],
            PairSettings("mine", v1="a.py", v2="c.py"),
            problems=[failed("v2", "a.py")],
        )
        assert set(matches(found)) == {"mine", "b"}
        assert (found.broken, len(found.problems)) == ((), 1)

    def test_a_counterpart_whose_flows_are_all_taken(self) -> None:
        """A file that did not load makes no broken pair where nothing is left that it could pair with."""
        found = paired(
            [old("b.py", "y")],
            [new("a.py", "x")],
            PairSettings("mine", v1="b.py", v2="a.py"),
            problems=[failed("v1", "a.py")],
        )
        assert (found.broken, len(found.problems)) == ((), 1)

    def test_a_file_without_counterpart(self) -> None:
        """A file that did not load and has no counterpart stays a problem of its own."""
        found = paired([old("a.py", "x")], [new("a.py", "x")], problems=[failed("v2", "helpers.py")])
        assert (len(found.pairs), found.broken) == (1, ())
        assert found.problems == (failed("v2", "helpers.py"),)

    @pytest.mark.parametrize("table", [PairSettings("m", v1="a.py::x", v2="b.py::y"), PairSettings("a", v2="b.py")])
    def test_a_configured_file_that_did_not_load(self, table: PairSettings) -> None:
        """A selector into a file that did not load is a broken pair under the table's name, no mistake."""
        found = paired([], [new("b.py", "y")], table, problems=[failed("v1", "a.py")])
        assert [(one.name, len(one.flows)) for one in found.broken] == [(table.name, 1)]
        assert (found.unpaired, found.problems) == ((), ())

    def test_the_rest_of_a_configured_broken_pair(self) -> None:
        """Helpers beside a configured flow do not make a second broken pair of the same name."""
        found = paired(
            [],
            [new("a.py", "x"), new("a.py", "part")],
            PairSettings("a", v1="a.py::x", v2="a.py::x"),
            problems=[failed("v1", "a.py")],
        )
        assert [one.name for one in found.broken] == ["a"]

    def test_settings_reach_a_broken_pair(self) -> None:
        """A broken pair is reported under its settings like any other."""
        found = paired([old("a.py", "x")], [], PairSettings("a", examples=3), problems=[failed("v2", "a.py")])
        assert found.broken[0].settings.examples == 3


class TestNames:
    """The name of a pair."""

    def test_one_flow_in_a_file(self) -> None:
        """The file below the flows folder, without suffix."""
        assert list(pair_names([old("finance/orders.v2.py", "x")]).values()) == ["finance/orders.v2"]

    def test_several_flows_in_a_file(self) -> None:
        """With the flow's name, paired or not."""
        found = paired([old("a.py", "x"), old("a.py", "y")], [new("a.py", "x")])
        assert list(matches(found)) == ["a::x"]

    def test_equal_names_in_a_file(self) -> None:
        """Told apart by variable, and where there is none, by number."""
        flows = [
            old("a.py", "x", "p", 1),
            old("a.py", "x", "q", 2),
            old("a.py", "x", None, 3),
            old("a.py", "x", None, 4),
        ]
        assert list(pair_names(flows).values()) == ["a::p", "a::q", "a::x", "a::x#2"]

    def test_pairs_are_in_the_order_of_the_files(self) -> None:
        """By v1 file, then by line."""
        v1 = [old("b.py", "x", None, 1), old("a.py", "a", None, 9), old("a.py", "z", None, 2)]
        found = paired(v1, [new(one.file, one.name) for one in v1])
        assert list(matches(found)) == ["a::z", "a::a", "b"]


def test_selectors_are_parsed() -> None:
    """A file, then what follows the first `::`, which may hold anything."""
    parsed = parse_selector("./a/../b.py::A flow::of mine")
    assert (parsed.file, parsed.what, parsed.call) == ("b.py", "A flow::of mine", False)
    assert parse_selector("b.py").what is None
    assert parse_selector("b.py::build()").call


def drawn_flows(data: st.DataObject) -> tuple[list[FlowInfo], list[FlowInfo]]:
    """Flows of few files and names, so that they meet; variables are unique in their file, as in a module."""
    files = st.sampled_from(["a.py", "b.py", "sub/a.py", "A_.py", "flow.py"])
    names = st.sampled_from(["etl", "ETL", "load orders", "load_orders", "flow", "other"])
    variables = st.sampled_from(["flow", "etl", "load_orders", "x", "y"])
    sides: list[list[FlowInfo]] = []
    for make in (old, new):
        drawn = data.draw(st.lists(st.tuples(files, names, variables), max_size=7, unique_by=lambda it: it[::2]))
        sides.append([make(*one) for one in drawn])
    return sides[0], sides[1]


def data_of(found: Pairing) -> tuple[list[FlowInfo], list[FlowInfo]]:
    """Every flow of a pairing, by side."""
    flows = [one for pair in found.pairs for one in (pair.v1, pair.v2)]
    flows += [one.flow for one in found.unpaired]
    flows += [one for group in found.broken for one in group.flows]
    flows += [one for group in found.ambiguous for one in (*group.v1, *group.v2)]
    return [one for one in flows if one.side == "v1"], [one for one in flows if one.side == "v2"]


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_order_and_partition(data: st.DataObject) -> None:
    """The order in which flows are described changes nothing, and each flow lands in exactly one place."""
    v1, v2 = drawn_flows(data)
    sides: st.SearchStrategy[SideName] = st.sampled_from(["v1", "v2"])
    files = st.sampled_from(["a.py", "c.py", "A-.py"])
    problems = data.draw(st.lists(st.builds(failed, sides, files), max_size=3, unique=True))
    found = paired(v1, v2, problems=problems)
    others = data.draw(st.permutations(v1)), data.draw(st.permutations(v2))
    assert paired(*others, problems=data.draw(st.permutations(problems))) == found
    for flows, landed in zip((v1, v2), data_of(found), strict=True):
        assert sorted(landed, key=repr) == sorted(flows, key=repr)
    names = [pair.name for pair in found.pairs] + [one.name for one in found.broken]
    assert len(names) == len(set(names))


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_sides_are_treated_alike(data: st.DataObject) -> None:
    """With the sides exchanged, the same flows are paired."""
    v1, v2 = drawn_flows(data)
    exchanged = paired([swapped(one) for one in v2], [swapped(one) for one in v1])
    assert {(pair.v1, pair.v2) for pair in paired(v1, v2).pairs} == {
        (swapped(pair.v2), swapped(pair.v1)) for pair in exchanged.pairs
    }


def swapped(info: FlowInfo) -> FlowInfo:
    """The same flow on the other side."""
    return (new if info.side == "v1" else old)(info.file, info.name, info.variable, info.line)


def test_from_the_file_to_the_pair(tmp_path: Path) -> None:
    """The lines shown for an ambiguity, pasted into a pyproject.toml, settle it."""
    for name in ("flows_v1", "flows_v2"):
        (tmp_path / name).mkdir()
    v1, v2 = [old("a.py", 'the "etl"', None)], [new("b.py", 'the "etl"', "p"), new("c.py", 'the "etl"', "q")]
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(paired(v1, v2).ambiguous[0].configuration, encoding="utf-8")
    found = pair_flows(load_settings(tmp_path, pyproject, Overrides()), v1, v2)
    assert len(found.pairs) == 1
    assert found.ambiguous == ()
