"""One worker process: it starts clean, survives what flows do, is replaced when it dies, and leaves nothing behind."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from equivalence.environments import Environment
from equivalence.errors import WorkerFailure
from equivalence.inside import wire
from equivalence.worker import KEPT_OUTPUT, Reply, Worker, WorkerSpec, run_message
from tests.conftest import WorkerOf, flow_v1, flow_v2, workers_alive

pytestmark = pytest.mark.engines

LIMIT = 60.0
SIDES = ("v1", "v2")
BODIES = {
    "plain": "print('hello')\nreturn [1, 'two']",
    "dies": "import os\nprint('last words', flush=True)\nos._exit(7)",
    "killed": "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nimport time\ntime.sleep(30)",
    "sleeps": "import time\ntime.sleep(60)",
    "prints": "import os\nfor _ in range(100):\n    os.write(1, b'y' * 10000)\nos.write(2, b'the end')\nreturn 1",
    "variables": "import os\nreturn dict(os.environ)",
    "children": (
        "import subprocess, sys\n"
        "made = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'], start_new_session=True)\n"
        "return made.pid"
    ),
    "orphan": (
        "import os, time\n"
        "reading, writing = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        os.write(writing, b'%d' % os.getpid())\n"
        "        time.sleep(300)\n"
        "    os._exit(0)\n"
        "return int(os.read(reading, 20))"
    ),
    "large": "return ['row %d' % i for i in range(200000)]",
    "leaves": "import os, sys\nos.environ['LEFT'] = 'over'\nos.chdir('/')\nreturn 1",
    "looks": "import os\nreturn ['LEFT' in os.environ, os.getcwd() == '/']",
    "randomly": "import random\nreturn random.random()",
}


@pytest.fixture(scope="module")
def workers(worker_of: WorkerOf) -> dict[str, Worker]:
    """A worker of each side, both with the same flows."""
    makers = {"v1": flow_v1, "v2": flow_v2}
    return {
        side: worker_of(side, {f"{name}.py": makers[side](name, body) for name, body in BODIES.items()})
        for side in SIDES
    }


def run(worker: Worker, name: str, timeout: float = LIMIT, seed: int = 0) -> Reply:
    """Run the flow of a file without parameters."""
    path = worker.spec.flows / f"{name}.py"
    variable = "flow" if worker.spec.side == "v1" else "migrated"
    return worker.ask(run_message(str(path), variable, name, {}, seed=seed), timeout)


def result(worker: Worker, name: str, **options: Any) -> Any:
    """What the task of a flow gave, as JSON."""
    reply = run(worker, name, **options)
    assert reply.ended is None, reply
    found = [event["result"] for event in reply.events if event["e"] == "task-state" and "result" in event]
    assert found, reply
    return found[-1].get("root", found[-1])


def final(reply: Reply) -> str:
    """The last state of the flow that arrived."""
    return [str(event["type"]) for event in reply.events if event["e"] == "flow-state"][-1]


@pytest.mark.parametrize("side", SIDES)
def test_a_worker_says_what_it_is(workers: Mapping[str, Worker], side: str) -> None:
    """Started, it tells protocol, Prefect and Python; a second start asks nothing again."""
    info = workers[side].start()
    assert info["protocol"] == wire.PROTOCOL
    assert str(info["prefect"]).startswith("1." if side == "v1" else "2.")
    before = workers[side].starts
    assert workers[side].start() is info
    assert workers[side].starts == before


@pytest.mark.parametrize("side", SIDES)
def test_what_a_flow_prints_is_kept_apart(workers: Mapping[str, Worker], side: str) -> None:
    """Output arrives with the run that printed it, and with no other."""
    reply = run(workers[side], "plain")
    assert reply.output == "hello\n"
    assert final(reply) in ("Success", "COMPLETED")
    assert run(workers[side], "looks").output == ""


@pytest.mark.parametrize("side", SIDES)
def test_much_output_is_cut_to_its_end(workers: Mapping[str, Worker], side: str) -> None:
    """Of a megabyte on fd 1 the end is kept, and what is left out is counted."""
    reply = run(workers[side], "prints")
    assert final(reply) in ("Success", "COMPLETED")
    assert reply.output.endswith("the end")
    assert len(reply.output) <= KEPT_OUTPUT + 100
    assert f"the first {1000007 - KEPT_OUTPUT} bytes are left out" in reply.output


@pytest.mark.parametrize(
    ("name", "timeout", "ended", "reason"),
    [
        ("dies", LIMIT, "Crashed", "the worker ended by itself with status 7"),
        ("killed", LIMIT, "Crashed", "the worker was ended by SIGTERM"),
        ("sleeps", 2.0, "TimedOut", "no end after 2 seconds; the worker was killed"),
    ],
)
def test_a_worker_that_dies_is_replaced(
    workers: Mapping[str, Worker], name: str, timeout: float, ended: str, reason: str
) -> None:
    """The run ends as TimedOut or Crashed with the events and the output until then; the next one works.

    One side is enough: nothing of this is the engine's.
    """
    worker = workers["v1"]
    worker.start()
    before = worker.starts
    reply = run(worker, name, timeout)
    assert (reply.ended, reply.reason) == (ended, reason)
    assert "Running" in [event["type"] for event in reply.events if event["e"] == "task-state"]
    assert ("last words" in reply.output) == (name == "dies")
    assert result(worker, "looks") == [False, False] or result(worker, "looks")["v"] == [False, False]
    assert worker.starts == before + 1


@pytest.mark.parametrize("side", SIDES)
def test_only_harmless_variables_reach_a_flow(
    environments: Mapping[str, Environment], workers: Mapping[str, Worker], side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens, profiles and PREFECT_* of the caller stay out; home and Prefect's home are the worker's own."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.setenv("PREFECT__CLOUD__API_KEY", "secret")
    workers[side].kill()
    seen = result(workers[side], "variables")["v"]
    assert not {"AWS_SECRET_ACCESS_KEY", "PREFECT__CLOUD__API_KEY"} & set(seen)
    assert not seen.get("PREFECT_API_URL")
    assert seen["HOME"] != os.environ["HOME"]
    own = Path(seen["HOME"]).parent
    assert seen["PREFECT__HOME_DIR" if side == "v1" else "PREFECT_HOME"].startswith(str(own))


@pytest.mark.parametrize("side", SIDES)
def test_a_run_does_not_change_the_next(workers: Mapping[str, Worker], side: str) -> None:
    """Variables and folder that a flow changed are put back before the next run."""
    run(workers[side], "leaves")
    assert result(workers[side], "looks")["v"] == [False, False]


@pytest.mark.parametrize("side", SIDES)
def test_the_seed_of_a_case_seeds_the_flow(workers: Mapping[str, Worker], side: str) -> None:
    """Random numbers are those of the case's seed, so that a case can be repeated."""
    first, same, other = (result(workers[side], "randomly", seed=seed) for seed in (5, 5, 6))
    assert first == same != other


def test_large_values_come_through_the_spool(workers: Mapping[str, Worker]) -> None:
    """A large value's place is in the event, and its bytes are read from the file, until the next command."""
    worker = workers["v1"]
    place = result(worker, "large")["at"]
    read = worker.reader()
    kept = worker.memory()
    assert b"row 199999" in read(*place)
    run(worker, "plain")
    with pytest.raises(WorkerFailure, match="an earlier run"):
        read(*place)
    assert b"row 199999" in kept(*place)


@pytest.mark.parametrize("name", ["children", "orphan"])
def test_children_end_with_their_worker(workers: Mapping[str, Worker], name: str) -> None:
    """A process that a flow left in a session of its own, or as an orphan, dies with the worker."""
    worker = workers["v1"]
    pid = result(worker, name)
    assert psutil.pid_exists(pid)
    worker.kill()
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_worker_removes_its_folder(workers: Mapping[str, Worker]) -> None:
    """Stopped, a worker leaves neither its process nor its home, database and spool."""
    worker = workers["v2"]
    own = Path(result(worker, "variables")["v"]["HOME"]).parent
    assert own.is_dir()
    worker.stop()
    assert not own.exists()
    assert workers_alive(worker.spec.root) == []


def test_a_python_without_prefect(tmp_path: Path) -> None:
    """A worker that does not come up is a WorkerFailure with its own words and what to try."""
    spec = WorkerSpec("v1", Path(sys.executable), tmp_path, tmp_path, tmp_path, tmp_path, variables={"PYTHONPATH": ""})
    worker = Worker(spec)
    try:
        with pytest.raises(WorkerFailure, match=r"did not start:[\s\S]*No module named 'prefect'[\s\S]*by hand"):
            worker.start()
    finally:
        worker.stop()


def test_a_python_that_is_not_there(tmp_path: Path) -> None:
    """An interpreter that cannot be started is named, and nothing is left behind."""
    worker = Worker(WorkerSpec("v1", tmp_path / "python", tmp_path, tmp_path, tmp_path, tmp_path))
    with pytest.raises(WorkerFailure, match="could not be started"):
        worker.start()
