"""Flow files become flows: what is found in a file, which imports it sees, and what does not happen meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from equivalence.worker import Worker, run_message
from tests.conftest import WorkerOf, flow_v1, flow_v2, write

pytestmark = pytest.mark.engines

LIMIT = 60.0

BOTH = {
    "syntax.py": "x = 1\ndef broken(:\n",
    "raises.py": "from helpers import deep\n\ndef outer():\n    deep()\n\nouter()\n",
    "exits.py": "import sys\nsys.exit('not today')\n",
    "helpers.py": "def deep():\n    raise KeyError('of the user')\n",
    "empty.py": "",
    # Two packages with modules of one name: each flow sees its own.
    "north/settings.py": "REGION = 'north'",
    "south/settings.py": "REGION = 'south'",
    "statistics.py": "SHADOW = True",
    "package/__init__.py": "",
    "package/deep/__init__.py": "",
    "package/rates.py": "RATE = 3",
}

V1 = {
    **BOTH,
    "north/go.py": flow_v1("north", "return settings.REGION", "", "import settings"),
    "south/go.py": flow_v1(
        "south", "import settings as late\nreturn [settings.REGION, late.REGION]", "", "import settings"
    ),
    "standard.py": flow_v1("standard", "return statistics.mean([1, 3])", "", "import statistics"),
    "package/deep/inner.py": flow_v1("inner", "return RATE", "", "from ..rates import RATE"),
    "imported.py": "from main import flow as other\n" + flow_v1("own", "return 1"),
    "acts.py": flow_v1("acts", "return 1") + "flow.run()\nflow.register('p')\nflow.run().result\nLATER = 1\n",
    "main.py": flow_v1("main", "return 1") + "if __name__ == '__main__':\n    raise SystemExit\n",
    "builder.py": (
        "from prefect import Flow, task\n"
        "@task\ndef work():\n    return 1\n"
        "def build(n=1):\n    with Flow('built') as f:\n        work()\n    return f\n"
        "def not_one(n):\n    with Flow('never') as f:\n        work()\n    return f\n"
        "def main():\n    with Flow('script') as f:\n        work()\n    f.run()\n"
    ),
    "fails_to_build.py": (
        "from prefect import Flow\ndef build():\n    with Flow('x') as f:\n        1 / 0\n    return f\n"
    ),
    "several.py": flow_v1("a b c", "return 1") + flow_v1("a b c", "return 2").replace("as flow", "as second"),
}

V2 = {
    **BOTH,
    "north/go.py": flow_v2("north", "return settings.REGION", "", "import settings"),
    "south/go.py": flow_v2(
        "south", "import settings as late\nreturn [settings.REGION, late.REGION]", "", "import settings"
    ),
    "standard.py": flow_v2("standard", "return statistics.mean([1, 3])", "", "import statistics"),
    "package/deep/inner.py": flow_v2("inner", "return RATE", "", "from ..rates import RATE"),
    "imported.py": "from main import migrated as other\n" + flow_v2("own", "return 1"),
    "acts.py": flow_v2("acts", "return 1") + "migrated()\nmigrated.serve(name='x')\nmigrated().anything\nLATER = 1\n",
    "main.py": flow_v2("main", "return 1") + "if __name__ == '__main__':\n    raise SystemExit\n",
    "several.py": flow_v2("a b c", "return 1") + flow_v2("a b c", "return 2").replace("migrated", "second"),
    "options.py": flow_v2("plain", "return 1") + "special = migrated.with_options(name='special')\n",
}


@pytest.fixture(scope="module")
def workers(worker_of: WorkerOf) -> dict[str, Worker]:
    """A worker of each side with all those files."""
    return {"v1": worker_of("v1", V1), "v2": worker_of("v2", V2)}


@pytest.fixture(params=["v1", "v2"])
def worker(request: pytest.FixtureRequest, workers: Mapping[str, Worker]) -> Worker:
    """The worker of either side."""
    return workers[request.param]


def describe(worker: Worker, file: str, *builders: str) -> Mapping[str, Any]:
    """What a file holds."""
    path = str(worker.spec.flows / file)
    reply = worker.ask({"do": "describe", "path": path, "builders": list(builders)}, LIMIT)
    assert reply.ended is None, reply
    return reply.message


def result(worker: Worker, file: str, name: str) -> Any:
    """What the task of a flow gives."""
    flow = describe(worker, file)["flows"][0]
    reply = worker.ask(run_message(str(worker.spec.flows / file), flow["variable"], name, {}), LIMIT)
    found = [event["result"]["root"] for event in reply.events if event["e"] == "task-state" and "result" in event]
    assert found, reply
    return found[-1]["v"] if isinstance(found[-1], dict) else found[-1]


def names(message: Mapping[str, Any]) -> list[tuple[str | None, str]]:
    """Variable and name of each flow."""
    return [(flow["variable"], flow["name"]) for flow in message["flows"]]


def test_a_syntax_error_shows_its_line(worker: Worker) -> None:
    """A file that does not compile is a problem with the line, and no frame of ours."""
    problem = describe(worker, "syntax.py")["problem"]
    assert "SyntaxError" in problem
    assert 'syntax.py", line 2' in problem
    assert "equivalence" not in problem


def test_a_traceback_begins_with_the_users_code(worker: Worker) -> None:
    """What a file raises while it loads is told by the user's own frames, all of them."""
    lines = describe(worker, "raises.py")["problem"].splitlines()
    assert 'raises.py", line 6, in <module>' in lines[1]
    assert any('helpers.py", line 2, in deep' in line for line in lines)
    assert lines[-1] == "KeyError: 'of the user'"


def test_sys_exit_at_module_level(worker: Worker) -> None:
    """A file that exits is a problem of that file; the worker goes on."""
    assert describe(worker, "exits.py")["problem"].endswith("SystemExit: not today")
    assert describe(worker, "empty.py")["flows"] == []


def test_a_problem_stays_until_the_file_loads(worker: Worker) -> None:
    """A file that failed is tried again the next time it is asked for, and not taken as empty."""
    assert "problem" in describe(worker, "exits.py")
    assert "problem" in describe(worker, "exits.py")


def test_modules_of_one_name_are_kept_apart(worker: Worker) -> None:
    """Two folders with a ``settings.py`` each: each flow has its own, also when it imports during its run."""
    assert result(worker, "north/go.py", "north") == "north"
    assert result(worker, "south/go.py", "south") == ["south", "south"]
    assert result(worker, "north/go.py", "north") == "north"


def test_the_standard_library_is_not_shadowed(worker: Worker) -> None:
    """``statistics.py`` beside the flows: ``import statistics`` is the standard library's, as before the flows."""
    assert result(worker, "standard.py", "standard") == 2


def test_relative_imports_work(worker: Worker) -> None:
    """A flow file in a package below the flows folder imports its siblings relatively."""
    assert result(worker, "package/deep/inner.py", "inner") == 3


def test_a_flow_that_is_only_imported_is_not_this_files(worker: Worker) -> None:
    """A flow imported from another file belongs to that file alone."""
    assert [name for _, name in names(describe(worker, "imported.py"))] == ["own"]


def test_main_guards_hold(worker: Worker) -> None:
    """A flow file is imported, and not run as a script."""
    assert [name for _, name in names(describe(worker, "main.py"))] == ["main"]


def test_runs_at_module_level_are_held_back(worker: Worker) -> None:
    """Runs, registration and serving do nothing, each is noted with its line, and the flow stays."""
    message = describe(worker, "acts.py")
    assert [name for _, name in names(message)] == ["acts"]
    expected = (
        ["flow.run() at line 9", "flow.register() at line 10", "flow.run() at line 11"]
        if worker.spec.side == "v1"
        else ["a flow() at line 10", "serve() at line 11", "a flow() at line 12"]
    )
    assert message["notes"][:-1] == [f"{what} was not executed" for what in expected]
    assert "the file stopped there: AttributeError" in message["notes"][-1]
    assert result(worker, "acts.py", "acts") == 1


def test_flows_of_one_name_have_their_variables(worker: Worker) -> None:
    """Two flows of one name in a file, spaces and all, are told apart by their variables."""
    first = "flow" if worker.spec.side == "v1" else "migrated"
    assert names(describe(worker, "several.py")) == [(first, "a b c"), ("second", "a b c")]


def test_with_options_makes_a_flow(workers: Mapping[str, Worker]) -> None:
    """``with_options`` in Prefect 2 gives a second flow with a name of its own."""
    assert names(describe(workers["v2"], "options.py")) == [("migrated", "plain"), ("special", "special")]


def test_builders_are_found_by_their_shape(workers: Mapping[str, Worker]) -> None:
    """A function that builds and returns a flow is one; one that needs arguments or runs its flow is none."""
    (flow,) = describe(workers["v1"], "builder.py")["flows"]
    assert (flow["variable"], flow["kind"], flow["name"]) == ("build", "builder", "built")


def test_a_builder_that_fails(workers: Mapping[str, Worker]) -> None:
    """What a builder raises is told as the user's traceback."""
    problem = describe(workers["v1"], "fails_to_build.py")["problem"]
    assert problem.endswith("ZeroDivisionError: division by zero")
    assert "service.py" not in problem


def test_loading_has_a_limit(workers: Mapping[str, Worker]) -> None:
    """A file that never ends loading is cut off, and the worker is replaced."""
    worker = workers["v1"]
    write(worker.spec.flows, {"forever.py": "while True:\n    pass\n"})
    path = str(worker.spec.flows / "forever.py")
    assert worker.ask({"do": "describe", "path": path, "builders": []}, 1.5).ended == "TimedOut"
    assert [name for _, name in names(describe(worker, "main.py"))] == ["main"]
