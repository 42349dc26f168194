"""Tracing by the real engines: flows that mean the same leave traces that compare equal, planted bugs do not.

One warm worker per side for all pairs; every pair is a Prefect 1 flow, its migration, and what their comparison finds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from equivalence.compare.traces import Comparison, Rules, compare
from equivalence.trace import Trace, build
from equivalence.worker import Worker, run_message

pytestmark = pytest.mark.engines

HEAD_V1 = """
import random, sys, uuid
from datetime import timedelta
import prefect
from prefect import Flow, Parameter, Task, case, flatten, resource_manager, task, unmapped
from prefect.engine import signals
from prefect.engine.state import Success
from prefect.tasks.control_flow import merge
from prefect.triggers import all_finished
"""
HEAD_V2 = """
import asyncio, random, sys, uuid
from contextlib import contextmanager
from prefect import allow_failure, flow, task, unmapped
from prefect.context import get_run_context
from prefect.states import AwaitingRetry, Completed, Failed
"""


@dataclass(frozen=True, slots=True)
class Couple:
    """Two flows, the kinds of differences between them, and words that the comparison has to say besides."""

    why: str
    v1: str
    v2: str
    kinds: frozenset[str] = frozenset()
    normalised: str | None = None
    uncompared: str | None = None


def couple(
    why: str, v1: str, v2: str, *kinds: str, normalised: str | None = None, uncompared: str | None = None
) -> Couple:
    """A couple; lines that only open the flow are added to both sides."""
    return Couple(why, v1, v2, frozenset(kinds), normalised, uncompared)


LOOP_V1 = """
@task
def count():
    n = prefect.context.get("task_loop_result", 0) + 1
    if n < 4:
        raise signals.LOOP(result=n)
    return n
with Flow("f") as flow:
    count()
"""
ONE_V1 = """
@task
def one():
    {body}
with Flow("f") as flow:
    one()
"""
ONE_V2 = """
@task
def one():
    {body}
@flow
def f():
    return one()
"""


def one(body_v1: str, body_v2: str) -> tuple[str, str]:
    """Flows of one task with these bodies."""
    return ONE_V1.format(body=body_v1), ONE_V2.format(body=body_v2)


MAP = """
@task
def numbers():
    return [1, 0, 3]
@task
def divide(x):
    return 6 / x
@task
def negate(x):
    return -x
"""
CHOICE = """
@task
def choose():
    return "b"
@task
def a():
    return "A"
@task
def b():
    return "B"
"""
CHOICE_V1 = (
    CHOICE
    + """
with Flow("f") as flow:
    chosen = choose()
    with case(chosen, "a"):
        x = a()
    with case(chosen, "b"):
        y = b()
    merge(x, y)
"""
)
BAD = """
@task
def bad():
    raise ValueError("b")
@task
def middle(x):
    return x
"""
SAME_NAME = """
@task(name="t")
def first(x):
    return x
@task(name="t")
def second(x):
    return -x
"""
RESOURCE_V1 = """
@resource_manager
class Resource:
    def setup(self):
        return {"n": 3}
    def cleanup(self, resource):
        resource.clear()
@task
def use(resource):
    return dict(resource)
with Flow("f") as flow:
    with Resource() as resource:
        use(resource)
"""
RETRY_SIGNAL = """
@task
def again():
    if prefect.context.task_run_count < 3:
        raise signals.RETRY("again", start_time=__import__("pendulum").now("utc").add(minutes=5))
    return 7
with Flow("f") as flow:
    again()
"""
RETRY_STATE = """
@task
def again():
    if get_run_context().task_run.run_count < 3:
        return AwaitingRetry(scheduled_time=__import__("pendulum").now("utc").add({delay}))
    return 7
@flow
def f():
    return again()
"""
MAPPED_RETRY_V1 = """
@task(max_retries=1, retry_delay=timedelta(minutes=2))
def work(x):
    if x == 2 and prefect.context.task_run_count == 1:
        raise ValueError(x)
    return x
with Flow("f") as flow:
    work.map([1, 2, 3])
"""
MAPPED_RETRY_V2 = """
@task(retries=1, retry_delay_seconds={seconds})
def work(x):
    if x == 2 and get_run_context().task_run.run_count == 1:
        raise ValueError({raised})
    return x
@flow
def f():
    return work.map([1, 2, 3])
"""

COUPLES = {
    "map_children": couple(
        "Children of one map over another go on element by element on both sides; the failed one stops its own only.",
        MAP + 'with Flow("f") as flow:\n    negate.map(divide.map(numbers()))\n',
        MAP + "@flow\ndef f():\n    return negate.map(divide.map(numbers()))\n",
    ),
    "map_calls": couple(
        "Plain calls stop at the first failure, where the children of a map would have gone on.",
        MAP + 'with Flow("f") as flow:\n    negate.map(divide.map(numbers()))\n',
        MAP + "@flow\ndef f():\n    for number in numbers():\n        negate(divide(number))\n",
        "task-missing",
    ),
    "map_nothing": couple(
        "A value that cannot be mapped gives no children on either side, and both flows fail.",
        "@task\ndef one():\n    return None\n@task\ndef after(x):\n    return x\n"
        'with Flow("f") as flow:\n    after.map(one())\n',
        "@task\ndef one():\n    return None\n@task\ndef after(x):\n    return x\n"
        "@flow\ndef f():\n    return after.map(one())\n",
        normalised="engine-exception",
    ),
    "mapped_retry": couple(
        "A mapped child that retries has its own attempts and delay.",
        MAPPED_RETRY_V1,
        MAPPED_RETRY_V2.format(seconds=120, raised="x"),
    ),
    "mapped_retry_delay": couple(
        "Minutes become seconds: the delay of one mapped child differs.",
        MAPPED_RETRY_V1,
        MAPPED_RETRY_V2.format(seconds=2, raised="x"),
        "retry-delay", "contract",  # of the children that were not retried; a pair's result leaves it out
    ),
    "mapped_retry_exception": couple(
        "The exception of an attempt that was tried again is compared too.",
        MAPPED_RETRY_V1,
        MAPPED_RETRY_V2.format(seconds=120, raised="x + 1"),
        "exception",
    ),
    "branch": couple(
        "case and merge are an if: the skipped branch, the comparison and the merge have no counterpart.",
        CHOICE_V1,
        CHOICE + '@flow\ndef f():\n    return {"a": a, "b": b}[choose()]()\n',
    ),
    "branch_wrong": couple(
        "The other branch was taken: one task too many, one missing.",
        CHOICE_V1,
        CHOICE + '@flow\ndef f():\n    return {"b": a, "a": b}[choose()]()\n',
        "task-missing", "task-extra", "result",
    ),
    "cleanup": couple(
        "A clean-up two steps below a failure runs on both sides.",
        BAD + '@task(trigger=all_finished)\ndef clean():\n    return 1\nwith Flow("f") as flow:\n'
        "    clean(upstream_tasks=[middle(bad())])\n",
        BAD + "@task\ndef clean():\n    return 1\n@flow\ndef f():\n"
        "    middle.submit(bad.submit()).wait()\n    return clean()\n",
    ),
    "cleanup_blocked": couple(
        "allow_failure does not let a task run behind one that is not ready: the clean-up is missing.",
        BAD + '@task(trigger=all_finished)\ndef clean():\n    return 1\nwith Flow("f") as flow:\n'
        "    clean(upstream_tasks=[middle(bad())])\n",
        BAD + "@task\ndef clean():\n    return 1\n@flow\ndef f():\n"
        "    clean.submit(wait_for=[allow_failure(middle.submit(bad.submit()))])\n    return 1\n",
        "task-missing",
    ),
    "skip": couple(
        "raise SKIP is a state named Skipped; the signal is no result.",
        *one('raise signals.SKIP("no")', 'return Completed(name="Skipped", message="no")'),
    ),
    "skip_failed": couple(
        "A failed state that is named Skipped is a failure.",
        *one('raise signals.SKIP("no")', 'return Failed(name="Skipped", message="no")'),
        "task-state", "final-state",
    ),
    "success": couple(
        "raise SUCCESS without a result gives None, and that is counted.",
        *one('raise signals.SUCCESS("done")', "return None"),
        normalised="signal-result",
    ),
    "success_value": couple(
        "raise SUCCESS with a result gives that result.",
        *one('raise signals.SUCCESS("done", result=4)', "return 5"),
        "task-result", "result",
    ),
    "fail": couple(
        "raise FAIL stands for an exception with its text.",
        *one('raise signals.FAIL("no")', 'raise RuntimeError("no")'),
        normalised="signal",
    ),
    "fail_state": couple(
        "A failed state made by hand is compared by its message.",
        *one('raise signals.FAIL("no")', 'return Failed(message="yes")'),
        "exception",
    ),
    "retry_signal": couple(
        "raise RETRY is a returned AwaitingRetry: the same attempts and delays.",
        RETRY_SIGNAL,
        RETRY_STATE.format(delay="minutes=5"),
    ),
    "retry_signal_delay": couple(
        "A returned AwaitingRetry that is due too early differs in its delay.",
        RETRY_SIGNAL,
        RETRY_STATE.format(delay="seconds=5"),
        "retry-delay",
    ),
    "loop": couple(
        "LOOP is a while inside the task: one attempt on both sides.",
        LOOP_V1,
        ONE_V2.format(body="return 4").replace("one", "count"),
    ),
    "loop_short": couple(
        "A loop that ends one round earlier has another result.",
        LOOP_V1,
        ONE_V2.format(body="return 3").replace("one", "count"),
        "task-result", "result",
    ),
    "exit": couple(
        "sys.exit in a task ends both flows in the same way, and the worker lives on.",
        *one("sys.exit(3)", "sys.exit(3)"),
    ),
    "exit_other": couple(
        "sys.exit with another status is another exception.",
        *one("sys.exit(3)", "sys.exit(4)"),
        "exception",
    ),
    "same_name": couple(
        "Two functions under one task name are told apart by the order of their calls.",
        SAME_NAME + 'with Flow("f") as flow:\n    first(1)\n    second(2)\n    first(3)\n',
        SAME_NAME + "@flow\ndef f():\n    first(1)\n    second(2)\n    first(3)\n",
        uncompared="returns nothing",
    ),
    "gathered": couple(
        "Calls that an async flow gathers are matched in the order of the calls, however they end.",
        '@task\ndef work(x):\n    return x\nwith Flow("f") as flow:\n    work(1), work(2), work(3)\n',
        "@task\nasync def work(x):\n    await asyncio.sleep((3 - x) / 20)\n    return x\n"
        "@flow\nasync def f():\n    return await asyncio.gather(work(1), work(2), work(3))\n",
    ),
    "operators": couple(
        "A flow that ends in an operator gives that operator's value.",
        '@task\ndef one():\n    return 3\nwith Flow("f") as flow:\n    one() * 2 + 1\n',
        "@task\ndef one():\n    return 3\n@flow\ndef f():\n    return one() * 2 + 2\n",
        "result",
    ),
    "item": couple(
        "An item that was asked for by hand is the output, and not the task behind it.",
        '@task\ndef one():\n    return {"n": 3}\nwith Flow("f") as flow:\n    one()["n"]\n',
        '@task\ndef one():\n    return {"n": 3}\n@flow\ndef f():\n    return one()["n"]\n',
    ),
    "unpacked": couple(
        "A tuple that was unpacked and not used further is the output of the task behind it.",
        '@task(nout=2)\ndef two():\n    return 1, 2\nwith Flow("f") as flow:\n    a, b = two()\n',
        "@task\ndef two():\n    return 1, 2\n@flow\ndef f():\n    a, b = two()\n    return a, b\n",
    ),
    "resource": couple(
        "A resource manager is a context manager.",
        RESOURCE_V1,
        "@contextmanager\ndef resource():\n    yield {'n': 3}\n@task\ndef use(resource):\n    return dict(resource)\n"
        "@flow\ndef f():\n    with resource() as held:\n        return use(held)\n",
    ),
    "declared": couple(
        "Other retries that nobody needed are a contract that differs; the same delay is none.",
        ONE_V1.format(body="return 1").replace("@task", "@task(max_retries=3, retry_delay=timedelta(seconds=9))"),
        ONE_V2.format(body="return 1").replace("@task", "@task(retries=2, retry_delay_seconds=9)"),
        "contract",
    ),
    "state_returned": couple(
        "A state made by hand and returned says how the flow ended, and is no value.",
        ONE_V1.format(body="return 1"),
        ONE_V2.format(body="return 1").replace("return one()", 'one()\n    return Completed(message="fine")'),
        uncompared="returns nothing",
    ),
    "random": couple(
        "Both flows draw the same numbers: what the engine itself draws does not count.",
        *one("return random.random()", "return random.random()"),
    ),
    "arguments": couple(
        "An exception whose argument is a number is no exception with its digits.",
        *one("raise ValueError(1)", 'raise ValueError("1")'),
        "exception",
    ),
    "subflow": couple(
        "The tasks of a subflow are the flow's own; the subflow itself is none.",
        '@task\ndef a():\n    return 1\n@task\ndef b(x):\n    return x + 1\nwith Flow("f") as flow:\n    b(a())\n',
        "@task\ndef a():\n    return 1\n@task\ndef b(x):\n    return x + 1\n@flow\ndef child(x):\n    return b(x)\n"
        "@flow\ndef f():\n    return child(a())\n",
    ),
    "handler": couple(
        "A state handler that turns a failure into a success is code in the task.",
        "def rescue(task, old, new):\n    return Success(result=9) if new.is_failed() else new\n"
        + ONE_V1.format(body="raise ValueError(1)").replace("@task", "@task(state_handlers=[rescue])"),
        ONE_V2.format(body="return 9"),
    ),
}  # fmt: skip

Runner = Callable[[str], tuple[Trace, Trace]]


@pytest.fixture(scope="module")
def run(worker_of: Callable[[str, Mapping[str, str]], Worker]) -> Runner:
    """Runs a couple by its name on both sides at once."""
    workers = {
        "v1": worker_of("v1", {f"{name}.py": HEAD_V1 + made.v1 for name, made in COUPLES.items()}),
        "v2": worker_of("v2", {f"{name}.py": HEAD_V2 + made.v2 for name, made in COUPLES.items()}),
    }
    variables = {"v1": "flow", "v2": "f"}

    def traces(name: str) -> tuple[Trace, Trace]:
        for side, worker in workers.items():
            path = str(worker.spec.flows / f"{name}.py")
            worker.send(run_message(path, variables[side], "f", {}))
        replies = {side: worker.collect(60) for side, worker in workers.items()}
        for reply in replies.values():
            assert reply.message.get("done") == "run", reply
            assert "failure" not in reply.message, reply.message["failure"]
            assert "problem" not in reply.message, reply.message["problem"]
        v1, v2 = (build(side, replies[side].events, read=workers[side].reader()) for side in ("v1", "v2"))
        return v1, v2

    return traces


def kinds(comparison: Comparison) -> set[str]:
    """The kinds of differences that were found."""
    return {difference.kind for difference in comparison.differences}


@pytest.mark.parametrize("name", COUPLES)
def test_couple(run: Runner, name: str) -> None:
    """Each couple differs in the kinds it was made to differ in, and in nothing else; what is said is said."""
    made = COUPLES[name]
    comparison = compare(*run(name), Rules())
    assert kinds(comparison) == made.kinds, (made.why, comparison.differences)
    assert comparison.matches
    if made.normalised is not None:
        assert made.normalised in comparison.normalised, made.why
    if made.uncompared is not None:
        assert any(made.uncompared in text for text in comparison.uncompared), (made.why, comparison.uncompared)
