"""Bad input: what a user can get wrong, and what a flow can do to its process. Each has an answer that helps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import pytest

from equivalence.environments import Environment
from tests.conftest import Project, Run, flow_v1, flow_v2, workers_alive

pytestmark = pytest.mark.engines

# ------------------------------------------------------------------------------------ configuration and options


def one_pair(project: Project) -> None:
    """The smallest project there is."""
    project.v1({"one.py": flow_v1("one", "return 1")})
    project.v2({"one.py": flow_v2("one", "return 1")})


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--equivalence-examples=many", "--equivalence-examples: expected a whole number, got 'many'"),
        ("--equivalence-examples=0", "--equivalence-examples: expected a whole number of at least 1, got 0"),
        ("--equivalence-budget=long", "--equivalence-budget: expected a number of seconds, got 'long'"),
        ("--equivalence-shrink=-1", "--equivalence-shrink: expected a number of seconds, 0 or more"),
    ],
)
def test_an_unknown_option_value(project: Project, option: str, words: str) -> None:
    """A value that an option does not take is a usage error that names option and value."""
    run = project.run(option)
    assert run.status == 4, run.printed
    assert words in run.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tool.equivalence", "pyproject.toml"),
        ("[tool.equivalence]\nexample = 3", "unknown key `example`; did you mean `examples`?"),
        ('[tool.equivalence]\nstates = "kinds"', 'got "kinds" (string); did you mean "kind"?'),
        ('[tool.equivalence.v1]\nflows = "flows_v3"', 'there is no folder "flows_v3"'),
        ('[tool.equivalence.v1]\npython = "3.99"', "3.99"),
        ('[tool.equivalence.v2]\npython = "missing/bin/python"', "missing/bin/python"),
        ('[tool.equivalence.pairs.nine]\nv1 = "one.py::flow"\nv2 = "nine.py"', "names no v2 flow"),
        ('[tool.equivalence.pairs.one]\nparameters = { count = "limit" }', "count"),
    ],
    ids=["broken-toml", "key", "value", "folder", "python-version", "python-path", "selector", "parameter"],
)
def test_a_mistake_in_the_configuration(project: Project, text: str, words: str) -> None:
    """What is wrong in the file ends the session with 4 and a message that names it, without a traceback."""
    one_pair(project)
    project.configure(text)
    run = project.run()
    assert run.status == 4, run.printed
    assert words in run.printed
    assert "Traceback" not in run.printed
    assert "INTERNALERROR" not in run.printed


def test_an_interpreter_with_the_wrong_prefect(project: Project, environments: Mapping[str, Environment]) -> None:
    """A virtualenv with Prefect 1 given for v2, and the other way round: both are told, with what is needed."""
    one_pair(project)
    v1, v2 = (environments[side].python.as_posix() for side in ("v1", "v2"))
    project.configure(f'[tool.equivalence.v1]\ninterpreter = "{v2}"\n[tool.equivalence.v2]\ninterpreter = "{v1}"\n')
    run = project.run()
    assert run.status == 4, run.printed
    assert "v1 needs Prefect 1" in run.err
    assert "v2 needs Prefect 2" in run.err


def test_a_requirement_that_does_not_resolve(project: Project) -> None:
    """The installer's own words and the command to try by hand; nothing half built counts as ready."""
    one_pair(project)
    (project.path / "empty").mkdir()
    table = 'requirements = ["./empty"]\n'
    project.configure(f"[tool.equivalence.v1]\n{table}[tool.equivalence.v2]\n{table}")
    run = project.run(EQUIVALENCE_CACHE_DIR=str(project.path / "cache"))
    assert run.status == 4, run.printed
    assert run.err.count("uv said:") == 2, "what is wrong with either side is told at once"
    assert "To try it by hand:" in run.err
    assert not list((project.path / "cache").rglob("ready.json"))


def test_no_flows(project: Project) -> None:
    """Folders without any pair end with 5, as pytest without any test."""
    run = project.run()
    assert run.status == 5, run.printed


# --------------------------------------------------------------------------------------------- hostile flows

BODIES: dict[str, str] = {
    "megabytes": "for _ in range(300):\n    print('x' * 10000)\nreturn 1",
    "fd1": "import os\nos.write(1, b'\\xff\\x00{\"e\": \"flow-state\"}\\n' * 1000)\nos.write(2, b'words')\nreturn 1",
    "os_exit": "import os\nos._exit(3)",
    "sys_exit": "import sys\nsys.exit(3)",
    "kills_itself": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "recursion": "def deeper(n):\n    return deeper(n + 1)\nreturn deeper(0)",
    "forks": "import os\npid = os.fork()\nif pid == 0:\n    os._exit(0)\nos.waitpid(pid, 0)\nreturn 1",
    "fork_goes_on": "import os\npid = os.fork()\nif pid:\n    os.waitpid(pid, 0)\nreturn 1",
    "sleeps": "import time\ntime.sleep(60)\nreturn 1",
    "opaque": "return {'lock': __import__('threading').Lock(), 'plain': 1}",
    "nan": "return [float('nan'), -0.0, float('inf')]",
    "cycle": "row = {'id': 1}\nrow['self'] = row\nreturn row",
    "text10mb": "return 'Zürich ' * 1500000",
    "closes_streams": "import sys\nsys.stdout.close()\nsys.stdout = None\nreturn 1",
    "changes_directory": "import os\nos.chdir('/')\nos.environ['LEFT'] = 'over'\nreturn 1",
}
CRASHES = {"os_exit": "status 3", "kills_itself": "SIGKILL", "sleeps": "no end after 3 seconds"}

CHILDREN = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(500)"], start_new_session=True)
return 1
"""

KEYWORDS_V1 = """
from prefect import Flow, Parameter, task

@task
def work(one, two, three, four):
    return [one, two, three, four]

with Flow("keywords") as flow:
    work(
        Parameter("class", default=1),
        Parameter("lambda", default="a"),
        Parameter("self", default=True),
        Parameter("Größe in m²", default=2),
    )
"""

KEYWORDS_V2 = """
from prefect import flow, task

@task
def work(one, two, three, four):
    return [one, two, three, four]

@flow
def keywords(kind: int = 1, function: str = "a", self: bool = True, größe: int = 2):
    return work(kind, function, self, größe)
"""


@pytest.fixture(scope="module")
def hostile(make_project: Callable[[str], Project]) -> tuple[Run, Project]:
    """One session over flows that do all of it, one after the other in the same workers."""
    project = make_project("hostile")
    project.configure(
        """
        [tool.equivalence]
        examples = 3
        shrink = 0
        run-timeout = 3

        [tool.equivalence.pairs.keywords]
        parameters = { class = "kind", lambda = "function", "Größe in m²" = "größe" }
        """
    )
    for name, body in {**BODIES, "children": CHILDREN}.items():
        project.v1({f"{name}.py": flow_v1(name, body)})
        project.v2({f"{name}.py": flow_v2(name, body)})
    # Prefect 2 itself recurses for ever over a cycle that the flow returns: there its task alone is compared.
    project.v2({"cycle.py": flow_v2("cycle", BODIES["cycle"]).replace("    return work()", "    work()")})
    project.v1(
        {
            "syntax.py": "def broken(:\n",
            "one_side_dies.py": flow_v1("one side dies", "return 1"),
            "keywords.py": KEYWORDS_V1,
            "café.py": flow_v1("Überweisung ☕", "return größe", "größe=1"),
            "zz_last.py": flow_v1("zz last", "return 1"),
        }
    )
    project.v2(
        {
            "syntax.py": flow_v2("syntax", "return 1"),
            "one_side_dies.py": flow_v2("one side dies", "import os\nos._exit(9)"),
            "keywords.py": KEYWORDS_V2,
            "café.py": flow_v2("Überweisung ☕", "return größe", "größe=1").replace("größe=1", "größe: int = 1"),
            "zz_last.py": flow_v2("zz last", "return 1"),
        }
    )
    return project.run(), project


@pytest.mark.parametrize(
    "name",
    [
        "megabytes",
        "fd1",
        "sys_exit",
        "recursion",
        "forks",
        "fork_goes_on",
        "nan",
        "cycle",
        "text10mb",
        "closes_streams",
        "changes_directory",
        "children",
        "keywords",
        "café",
        "zz_last",
    ],
)
def test_what_can_be_compared_is(hostile: tuple[Run, Project], name: str) -> None:
    """Both sides do the same strange thing and survive it: equivalent, with the task reached."""
    pair = hostile[0].pair(name)
    assert pair["verdict"] == "equivalent", hostile[0].printed
    assert pair["tasks"]["reached"] == 1
    assert not pair["uncompared"] or name == "cycle"


@pytest.mark.parametrize("name", sorted(CRASHES))
def test_two_sides_that_die_are_not_called_equal_by_silence(hostile: tuple[Run, Project], name: str) -> None:
    """Where both processes were cut short nothing was compared to the end: vacuous, and said why."""
    pair = hostile[0].pair(name)
    assert pair["verdict"] == "vacuous"
    assert any(CRASHES[name] in text for text in pair["uncompared"]), pair


def test_one_side_that_dies_is_a_finding(hostile: tuple[Run, Project]) -> None:
    """A v2 flow that ends its process where v1 succeeds: divergent, with the status in the block."""
    run = hostile[0]
    assert run.pair("one_side_dies")["verdict"] == "divergent"
    assert "Crashed: the worker ended by itself with status 9" in run.block("one_side_dies")


def test_a_syntax_error(hostile: tuple[Run, Project]) -> None:
    """The pair of a file with a syntax error is an error that shows the line; the others go on."""
    pair = hostile[0].pair("syntax")
    assert pair["verdict"] == "error"
    assert "SyntaxError" in pair["error"]
    assert "def broken(:" in pair["error"]
    assert hostile[0].status == 1


def test_what_cannot_be_encoded_is_counted(hostile: tuple[Run, Project]) -> None:
    """A lock in a result is opaque: never equal by silence, but named in the report and the summary."""
    pair = hostile[0].pair("opaque")
    assert any("lock" in path for path in pair["opaque"]), pair
    assert "opaque" in hostile[0].line("opaque")


def test_keyword_parameters_are_given(hostile: tuple[Run, Project]) -> None:
    """Parameters named ``class``, ``lambda``, ``self`` and in other alphabets get values like all others."""
    pair = hostile[0].pair("keywords")
    assert pair["cases"] == {"run": 3, "completed": 3, "failed": 0, "refused": 0}


def test_nothing_is_left_running(hostile: tuple[Run, Project]) -> None:
    """After the session no worker lives, and no child that a flow started in a session of its own."""
    _, project = hostile
    assert workers_alive(project.path) == []
    left = [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if "import time; time.sleep(500)" in (process.info["cmdline"] or [])
    ]
    assert left == []


def test_the_folder_of_the_session_stays(hostile: tuple[Run, Project]) -> None:
    """Flows print where they like; the terminal shows none of it, and no file appears beside them."""
    run, project = hostile
    assert "xxxxxxxxxx" not in run.out
    assert sorted(path.name for path in project.path.iterdir() if not path.name.startswith(".")) == [
        "flows_v1",
        "flows_v2",
        "pyproject.toml",
    ]


# ------------------------------------------------------------------------------------ the user's own Prefect


def test_the_users_own_prefect_is_never_touched(
    project: Project, environments: Mapping[str, Environment], tmp_path: Path
) -> None:
    """A profile, a .env and variables that lead to a server that is not there: green, and the folder unchanged."""
    one_pair(project)
    home = tmp_path / "home"
    dead = "http://127.0.0.1:9/api"
    files = {
        home / ".prefect/profiles.toml": f'active = "mine"\n[profiles.mine]\nPREFECT_API_URL = "{dead}"\n',
        home / ".prefect/config.toml": '[cloud]\napi = "http://127.0.0.1:9"\n',
        project.path / ".env": f"PREFECT_API_URL={dead}\nPREFECT__CLOUD__API={dead}\n",
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    v1, v2 = (environments[side].python.as_posix() for side in ("v1", "v2"))
    project.configure(f'[tool.equivalence.v1]\ninterpreter = "{v1}"\n[tool.equivalence.v2]\ninterpreter = "{v2}"\n')
    run = project.run(HOME=str(home), PREFECT_API_URL=dead, PREFECT_PROFILE="mine", PREFECT_API_KEY="secret")
    assert run.status == 0, run.printed
    assert run.verdicts == {"one": "equivalent"}
    assert {path: path.read_text(encoding="utf-8") for path in files} == files
    found = {path for path in (home / ".prefect").rglob("*") if path.is_file()}
    assert found == {path for path in files if home in path.parents}
