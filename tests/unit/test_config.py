"""`[tool.equivalence]`: defaults, every key read, and one message for all mistakes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from equivalence.config import (
    COMPARED,
    Overrides,
    PairSettings,
    Settings,
    load_settings,
)
from equivalence.errors import UsageProblem
from equivalence.tables import nearest, table_name

NONE = Overrides()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with both flows folders and nothing else."""
    for name in ("flows_v1", "flows_v2", "src"):
        (tmp_path / name).mkdir()
    return tmp_path


def load(root: Path, text: str, overrides: Overrides = NONE) -> Settings:
    """The settings of a pyproject.toml with this text."""
    pyproject = root / "pyproject.toml"
    pyproject.write_text(text, encoding="utf-8")
    return load_settings(root, pyproject, overrides)


def mistakes(root: Path, text: str) -> list[str]:
    """The lines of the message that this text leads to, without its head."""
    with pytest.raises(UsageProblem) as caught:
        load(root, text)
    return [line.removeprefix("  ") for line in str(caught.value).splitlines()[1:]]


def mistake(root: Path, text: str) -> str:
    """The only mistake in this text."""
    (only,) = mistakes(root, text)
    return only


def pair(root: Path, text: str) -> PairSettings:
    """The pair `orders` with these keys."""
    return load(root, f"[tool.equivalence.pairs.orders]\n{text}").pairs["orders"]


def pair_mistake(root: Path, text: str) -> str:
    """The only mistake in the pair `orders` with these keys."""
    return mistake(root, f"[tool.equivalence.pairs.orders]\n{text}")


class TestWhatIsRead:
    """Values that are right."""

    def test_no_file_means_the_defaults(self, root: Path) -> None:
        """Without a pyproject.toml everything has a default that works."""
        settings = load_settings(root, None, NONE)
        assert (settings.root, settings.v1.flows, settings.v2.flows) == (
            root,
            root / "flows_v1",
            root / "flows_v2",
        )
        assert (settings.examples, settings.budget, settings.shrink) == (50, 60.0, 30.0)
        assert (settings.run_timeout, settings.load_timeout) == (60.0, 60.0)
        assert (settings.compare, settings.states) == (COMPARED, "kind")
        assert (settings.pairs, settings.variables) == ({}, {})
        assert settings.v1.requirements is None
        assert settings.v1.python_path == ()

    def test_a_file_without_our_table_means_the_defaults(self, root: Path) -> None:
        """Other tools' tables are no concern of ours."""
        assert load(root, "[tool.other]\nkey = 1\n") == load_settings(root, None, NONE)

    def test_every_key_of_the_top_table(self, root: Path) -> None:
        """Each key at the top lands in its setting."""
        settings = load(
            root,
            "[tool.equivalence]\nexamples = 7\nbudget = 1.5\nshrink = 0\nrun-timeout = 2\nload-timeout = 3\n"
            'compare = ["tasks", "state"]\nstates = "exact"\nenvironment.variables = { REGION = "eu" }',
        )
        assert (settings.examples, settings.budget, settings.shrink) == (7, 1.5, 0.0)
        assert (settings.run_timeout, settings.load_timeout, settings.states) == (2.0, 3.0, "exact")
        assert settings.compare == ("state", "tasks")
        assert settings.variables == {"REGION": "eu"}

    def test_every_key_of_a_side(self, root: Path) -> None:
        """Each key of a side lands in it, and in that side alone."""
        (root / "old").mkdir()
        settings = load(
            root,
            '[tool.equivalence.v1]\nflows = "old"\npython-path = ["src"]\npython = "3.10"\n'
            'requirements = ["prefect==1.4.1"]\nexclude-newer = "2024-06-01"',
        )
        side = settings.v1
        assert (side.name, side.flows, side.python_path) == ("v1", root / "old", (root / "src",))
        assert (side.python, side.requirements, side.exclude_newer) == (
            "3.10",
            ("prefect==1.4.1",),
            "2024-06-01",
        )
        assert settings.v2 == load_settings(root, None, NONE).v2

    def test_every_key_of_a_pair(self, root: Path) -> None:
        """Each key of a pair lands in it."""
        found = pair(
            root,
            'v1 = "flows_v1/orders.py::flow"\nv2 = "orders.py::build()"\nexamples = 3\nbudget = 4\n'
            'compare = ["result"]\nstates = "outcome"\nignore = ["result.id"]\n'
            'parameters = { limit = "rows", "Tag of the image" = "tag" }\n'
            'fixed.v1 = { a = 1 }\nfixed.v2 = { commands = ["load"] }\n'
            'tasks = { "Load orders" = "load_orders" }\n'
            'output = { v1 = "task:load", v2 = "return" }\ntolerance = { "result.total" = 1e-9 }\n'
            'unordered = { "result.rows" = "id", "result.tags" = true }',
        )
        assert found == PairSettings(
            name="orders",
            v1="flows_v1/orders.py::flow",
            v2="orders.py::build()",
            parameters={"limit": "rows", "Tag of the image": "tag"},
            fixed_v1={"a": 1},
            fixed_v2={"commands": ["load"]},
            tasks={"Load orders": "load_orders"},
            output_v1="task:load",
            output_v2="return",
            examples=3,
            budget=4.0,
            compare=("result",),
            states="outcome",
            ignore=("result.id",),
            tolerance={"result.total": 1e-9},
            unordered={"result.rows": "id", "result.tags": None},
        )

    def test_paths_are_relative_to_the_folder_of_the_file(self, root: Path) -> None:
        """A pyproject.toml in a sub-folder is read from there, whatever the root is."""
        inner = root / "inner"
        (inner / "flows_v1").mkdir(parents=True)
        (inner / "flows_v2").mkdir()
        (inner / "pyproject.toml").write_text("", encoding="utf-8")
        settings = load_settings(root, inner / "pyproject.toml", NONE)
        assert (settings.root, settings.v1.flows) == (inner, inner / "flows_v1")

    def test_an_interpreter_that_is_a_link_stays_the_link(self, root: Path) -> None:
        """A virtualenv's python is a link: resolved, it would be another interpreter."""
        (root / "python").symlink_to(os.devnull)
        assert load(root, '[tool.equivalence.v1]\ninterpreter = "src/../python"').v1.interpreter == root / "python"

    @pytest.mark.parametrize(("given", "meant"), [("3.10", "3.10"), ("python3.9", "python3.9"), ("bin/py", None)])
    def test_python_is_a_version_or_a_path(self, root: Path, given: str, meant: str | None) -> None:
        """What holds a separator is a path below the file's folder, the rest stays as written."""
        found = load(root, f'[tool.equivalence.v1]\npython = "{given}"').v1.python
        assert found == (meant or str(root / "bin" / "py"))

    def test_requirements_may_be_a_file(self, root: Path) -> None:
        """A string names a requirements file."""
        (root / "old.txt").write_text("prefect==1.4.1\n", encoding="utf-8")
        assert load(root, '[tool.equivalence.v1]\nrequirements = "old.txt"').v1.requirements == root / "old.txt"

    @pytest.mark.parametrize(
        ("given", "meant"),
        [
            ("2024-06-01", "2024-06-01"),
            ('"2024-06-01T12:00:00Z"', "2024-06-01T12:00:00Z"),
            ("2024-06-01T12:00:00Z", "2024-06-01T12:00:00+00:00"),
        ],
    )
    def test_exclude_newer_takes_dates_of_toml_as_well(self, root: Path, given: str, meant: str) -> None:
        """A date with or without quotes is the same date."""
        assert load(root, f"[tool.equivalence.v2]\nexclude-newer = {given}").v2.exclude_newer == meant

    def test_folders_of_a_revision_are_not_looked_for_here(self, root: Path) -> None:
        """They are in the revision's tree, not in the work tree."""
        side = load(root, '[tool.equivalence.v1]\nrevision = "old"\nflows = "gone"\npython-path = ["lib"]').v1
        assert (side.revision, side.flows, side.python_path) == ("old", root / "gone", (root / "lib",))

    def test_a_pair_takes_what_it_does_not_say_from_all(self, root: Path) -> None:
        """for_pair fills in the settings of all pairs, and keeps the pair's own."""
        settings = load(
            root,
            '[tool.equivalence]\nexamples = 9\nstates = "exact"\n[tool.equivalence.pairs.a]\nexamples = 2',
        )
        own, other = settings.for_pair("a"), settings.for_pair("b")
        assert (own.examples, own.budget, own.compare, own.states) == (2, 60.0, COMPARED, "exact")
        assert (other.name, other.examples) == ("b", 9)


class TestCommandLine:
    """Options against the file."""

    def test_the_command_line_wins_for_every_pair(self, root: Path) -> None:
        """An option replaces what the file says of all, and of one."""
        text = "[tool.equivalence]\nexamples = 9\nbudget = 9\nshrink = 9\npairs.a = { examples = 8, budget = 8 }"
        settings = load(root, text, Overrides(examples=1, budget=2.0, shrink=0.0))
        assert (settings.examples, settings.budget, settings.shrink) == (1, 2.0, 0.0)
        assert (settings.for_pair("a").examples, settings.for_pair("a").budget) == (1, 2.0)

    def test_the_file_is_checked_where_the_command_line_wins(self, root: Path) -> None:
        """A mistake does not hide behind an option."""
        with pytest.raises(UsageProblem, match="`examples`"):
            load(root, "[tool.equivalence]\nexamples = 0", Overrides(examples=5))

    def test_every_wrong_option_is_named(self, root: Path) -> None:
        """The message names the options as they are typed."""
        with pytest.raises(UsageProblem) as caught:
            load_settings(root, None, Overrides(examples=0, budget=0.0, shrink=-1.0))
        assert str(caught.value).splitlines() == [
            "command line: 3 problems in the options of equivalence",
            "  --equivalence-examples: expected a whole number of at least 1, got 0 (integer)",
            "  --equivalence-budget: expected a number of seconds above 0, got 0.0 (float)",
            "  --equivalence-shrink: expected a number of seconds, 0 or more (0: no shrinking), got -1.0 (float)",
        ]


class TestMistakes:
    """What is said of values that are wrong."""

    def test_one_message_lists_every_mistake(self, root: Path) -> None:
        """All mistakes come at once, each with its table, its key, what was given and what is allowed."""
        with pytest.raises(UsageProblem) as caught:
            load(root, "[tool.equivalence]\nexampels = 5\n[tool.equivalence.v1]\npython = 3.10")
        assert str(caught.value).splitlines() == [
            "pyproject.toml: 2 problems in [tool.equivalence]",
            "  [tool.equivalence] unknown key `exampels`; did you mean `examples`? Allowed: budget, compare, "
            "environment, examples, load-timeout, pairs, patience, run-timeout, shrink, states, v1, v2",
            '  [tool.equivalence.v1] `python`: expected a string such as "3.10" or a path, got 3.1 (float)',
        ]

    @pytest.mark.parametrize(
        ("text", "table", "key"),
        [
            ("[tool.equivalence.v1]\npython_path = []", "[tool.equivalence.v1]", "`python-path`"),
            ("[tool.equivalence.pair.x]", "[tool.equivalence]", "`pairs`"),
            (
                "[tool.equivalence.environment]\nvariable = {}",
                "[tool.equivalence.environment]",
                "`variables`",
            ),
            ("[tool.equivalence.pairs.'a b']\nignored = []", '[tool.equivalence.pairs."a b"]', "`ignore`"),
            ("[tool.equivalence.pairs.a.fixed]\nV2 = {}", "[tool.equivalence.pairs.a.fixed]", "`v2`"),
            ("[tool.equivalence.pairs.a.output]\nV1 = ''", "[tool.equivalence.pairs.a.output]", "`v1`"),
        ],
    )
    def test_an_unknown_key_of_any_table(self, root: Path, text: str, table: str, key: str) -> None:
        """Every table refuses keys that it does not have, and names the nearest."""
        only = mistake(root, text)
        assert only.startswith(f"{table} unknown ")
        assert f"did you mean {key}" in only

    @pytest.mark.parametrize("key", ["secrets", "network", "files", "faults", "gate", "workers"])
    def test_keys_of_later_versions_are_unknown(self, root: Path, key: str) -> None:
        """A key without behaviour is refused, or it would be a promise that nothing keeps."""
        assert f"unknown key `{key}`" in mistake(root, f"[tool.equivalence]\n{key} = 1")

    def test_a_key_in_the_wrong_table_is_sent_home(self, root: Path) -> None:
        """A key that another table has is said to belong there."""
        only = mistake(root, '[tool.equivalence]\npython = "3.10"')
        assert "`python` belongs to [tool.equivalence.v1] and [tool.equivalence.v2]." in only

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("examples = true", "got true (boolean)"),
            ("examples = 2.0", "got 2.0 (float)"),
            ("examples = 0", "got 0 (integer)"),
            ("budget = 0", "seconds above 0, got 0 (integer)"),
            ("budget = inf", "got inf (float)"),
            ("budget = nan", "got nan (float)"),
            ("budget = true", "got true (boolean)"),
            ('budget = "1"', 'got "1" (string)'),
            (f"budget = 1{'0' * 400}", "(integer)"),
            ("run-timeout = -1", "got -1 (integer)"),
            ("load-timeout = 0", "got 0 (integer)"),
            ("shrink = -0.5", "0 or more (0: no shrinking), got -0.5 (float)"),
            ("compare = []", "expected a list with one or more of"),
            ('compare = "state"', 'got "state" (string)'),
            ('compare = ["stat"]', 'got "stat" (string); did you mean "state"?'),
            ("compare = [1]", "got 1 (integer)"),
            (
                'states = "kinds"',
                'one of "outcome", "kind", "exact", got "kinds" (string); did you mean "kind"?',
            ),
            ("states = 1", "got 1 (integer)"),
            ("v1 = 2024-01-01", "expected a table, got 2024-01-01 (date)"),
            ("pairs = []", "expected a table, got [] (list)"),
            ("pairs.a = 1", "expected a table, got 1 (integer)"),
            ("environment.variables.A = 1", "expected a string, without NUL, got 1 (integer)"),
            ('environment.variables."A=B" = ""', "no name of a variable"),
            ('v1.flows = ""', "expected a string that is not empty"),
            ('v1.flows = "a\\u0000"', "without NUL"),
            ('v1.python-path = "src"', 'expected a list of strings, got "src" (string)'),
            ("v1.python-path = [1]", "got 1 (integer) in it"),
            ("v1.revision = 1", "got 1 (integer)"),
            ("v1.interpreter = true", "got true (boolean)"),
            ("v1.requirements = []", "got [] (list)"),
            ('v1.requirements = "prefect==1.4.1"', 'One requirement is a list as well: ["prefect==1.4.1"]'),
            ('v1.exclude-newer = "yesterday"', 'got "yesterday" (string)'),
            ('v1.exclude-newer = "2024-13-01"', "expected a date"),
            ('v1.exclude-newer = "2024-06-01T12:00:00"', "with offset"),
            ("v1.exclude-newer = 2024", "got 2024 (integer)"),
        ],
    )
    def test_a_wrong_value(self, root: Path, text: str, said: str) -> None:
        """A wrong type, range or word is refused with what is expected and what was given."""
        assert said in mistake(root, f"[tool.equivalence]\n{text}")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("v1 = 1", "expected a flow such as"),
            ('v1 = "orders"', "expected a flow such as"),
            ('output.v1 = "load"', 'expected "return" or "task:NAME", got "load" (string)'),
            ('output.v2 = "task:"', "expected"),
            ("parameters = { a = 1 }", "`a`: expected a string"),
            ("tasks = { a = '' }", "`a`: expected a string that is not empty"),
            ("fixed.v1 = 1", "expected a table"),
            ("ignore = 'result'", "expected a list of strings"),
            ("tolerance = { a = -1 }", "expected a number, 0 or more"),
            ("tolerance = { a = true }", "expected a number, 0 or more"),
            ("unordered = { a = false }", "or true for rows without one"),
            ("examples = 0", "at least 1"),
            ("budget = 0", "above 0"),
            ("compare = ['odour']", '"order", "logs", "effects", got "odour"'),
            ("states = 'all'", "expected one of"),
            ("parameters = { a = 'x', b = 'x' }", 'several v1 parameters become "x"'),
            ("parameters = { a = 'x' }\nfixed.v1 = { a = 1 }", '"a" is in `parameters` and `fixed.v1`'),
            ("parameters = { a = 'x' }\nfixed.v2 = { x = 1 }", '"x" is in `parameters` and `fixed.v2`'),
        ],
    )
    def test_a_wrong_value_in_a_pair(self, root: Path, text: str, said: str) -> None:
        """What a pair says is checked like the rest."""
        only = pair_mistake(root, text)
        assert only.startswith("[tool.equivalence.pairs.orders")
        assert said in only

    @pytest.mark.parametrize("key", ['python = "3.10"', 'requirements = ["a"]', 'exclude-newer = "2024-06-01"'])
    def test_an_interpreter_excludes_what_would_build_one(self, root: Path, key: str) -> None:
        """An interpreter that exists is used unchanged: what would build one is a mistake, with why."""
        only = mistake(root, f'[tool.equivalence.v1]\ninterpreter = "env/bin/python"\n{key}')
        assert f"`interpreter` together with `{key.split(' ')[0]}`" in only
        assert "used unchanged" in only

    def test_the_same_pair_twice(self, root: Path) -> None:
        """Two tables for the same flows and the same fixed parameters say the same thing twice."""
        flows = 'v1 = "a.py"\nv2 = "b.py"\n'
        text = f"[tool.equivalence.pairs.x]\n{flows}[tool.equivalence.pairs.y]\n{flows}"
        assert "[tool.equivalence.pairs.y] has the v1, v2 and fixed of [tool.equivalence.pairs.x]" in mistake(
            root, text
        )

    def test_one_flow_in_two_pairs_is_no_mistake(self, root: Path) -> None:
        """The same flows with other parameters held are two pairs."""
        flows = 'v1 = "a.py"\nv2 = "b.py"\n'
        text = f"[tool.equivalence.pairs.x]\n{flows}[tool.equivalence.pairs.y]\n{flows}fixed.v1 = {{ a = 1 }}"
        assert set(load(root, text).pairs) == {"x", "y"}

    def test_a_missing_flows_folder_names_the_nearest(self, root: Path) -> None:
        """A misspelt folder is named, with the one that was meant."""
        (root / "flows_v1").rename(root / "flow_v1")
        assert mistake(root, "") == (
            f'[tool.equivalence.v1] `flows`: there is no folder "flows_v1" below {root}; did you mean "flow_v1"?'
        )

    def test_a_flows_folder_that_is_a_file(self, root: Path) -> None:
        """A file in place of the folder is told from nothing at all."""
        (root / "flows.py").write_text("", encoding="utf-8")
        assert '"flows.py" is a file, not a folder' in mistake(root, '[tool.equivalence.v2]\nflows = "flows.py"')

    def test_a_missing_python_path(self, root: Path) -> None:
        """Imports that cannot work are said before anything is built."""
        said = mistake(root, '[tool.equivalence.v2]\npython-path = ["scr"]')
        assert '`python-path`: there is no folder "scr"' in said
        assert 'did you mean "src"?' in said

    @pytest.mark.parametrize("text", ["[tool.equivalence", "a = 1\na = 2", "x = "])
    def test_broken_toml(self, root: Path, text: str) -> None:
        """TOML that does not parse is said to be that, with the line."""
        with pytest.raises(UsageProblem, match=r"pyproject\.toml: not valid TOML: .*(line|end)"):
            load(root, text)

    def test_a_file_that_is_no_text(self, root: Path) -> None:
        """Bytes that are not UTF-8 end in a message, not in a traceback."""
        (root / "pyproject.toml").write_bytes(b"\xff\xfe")
        with pytest.raises(UsageProblem, match="cannot be read"):
            load_settings(root, root / "pyproject.toml", NONE)

    def test_a_file_that_is_not_there(self, root: Path) -> None:
        """A pyproject.toml that was named and is missing is said to be missing."""
        with pytest.raises(UsageProblem, match="cannot be read"):
            load_settings(root, root / "pyproject.toml", NONE)

    @pytest.mark.parametrize("text", ["[equivalence]", "[tool.equivalance]", "[tool.Equivalence]"])
    def test_a_table_that_nobody_would_read(self, root: Path, text: str) -> None:
        """Our table under another name would be passed over in silence."""
        assert "did you mean [tool.equivalence]?" in mistake(root, f"{text}\nexamples = 5")

    def test_our_table_that_is_no_table(self, root: Path) -> None:
        """`equivalence = true` is a mistake, not the defaults."""
        assert "[tool] `equivalence`: expected a table, got true" in mistake(root, "[tool]\nequivalence = true")

    def test_long_values_are_cut(self, root: Path) -> None:
        """What was given is shown in 60 characters at most."""
        assert f'"{"x" * 56}… (string)' in mistake(root, f'[tool.equivalence]\nbudget = "{"x" * 500}"')


def test_the_nearest_word_is_found_whatever_its_case() -> None:
    """Case does not make a word another, and the word comes back as it is written."""
    assert nearest("orders", ["ORDERS", "x"]) == "ORDERS"
    assert nearest("orders", ["x"]) is None


def test_table_names_are_written_as_toml_has_them() -> None:
    """Names that are no bare keys are quoted."""
    assert table_name("pairs", 'a/"b') == '[tool.equivalence.pairs."a/\\"b"]'
