"""Resources, mapping, loops and dependencies by the real engines: right migrations are silent, wrong ones are found.

One warm worker per side for all couples of flows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from equivalence.compare.traces import ASPECTS, Comparison, Rules, compare
from equivalence.trace import Trace, build
from equivalence.worker import Worker, run_message
from tests.engines.test_tracing import HEAD_V1

pytestmark = pytest.mark.engines

HEAD_V2 = """
import asyncio, contextlib
from prefect import allow_failure, flow, task, unmapped
from prefect.context import get_run_context
from prefect.task_runners import SequentialTaskRunner
"""


@dataclass(frozen=True, slots=True)
class Couple:
    """Two flows and the places at which they differ, as ``kind path``; ``said`` and ``normalised`` are demanded."""

    why: str
    v1: str
    v2: str
    places: frozenset[str] = frozenset()
    order: bool = False
    tasks: Mapping[str, str] = field(default_factory=dict)
    said: str | None = None
    normalised: str | None = None


def couple(
    why: str,
    v1: str,
    v2: str,
    *places: str,
    order: bool = False,
    tasks: Mapping[str, str] | None = None,
    said: str | None = None,
    normalised: str | None = None,
) -> Couple:
    """A couple; what is not named is not expected."""
    return Couple(why, v1, v2, frozenset(places), order, tasks or {}, said, normalised)


# ---------------------------------------------------------------------------------------------------- resources

USE = """
@task
def use(x):
    return x + 1
@task
def after(x):
    return x * 10
"""
CLUSTER = """
@resource_manager
class Cluster:
    def setup(self):
        return 3
    def cleanup(self, cluster):
        pass
"""
BLOCK_V1 = 'with Flow("f") as flow:\n    with Cluster() as c:\n        used = use(c)\n    after(used)\n'
CLUSTER_V1 = CLUSTER + USE + BLOCK_V1


def block(manager: str, line: str = "used = use(c)", flow: str = "@flow\ndef") -> str:
    """A Prefect 2 flow that enters a context manager and does this in it."""
    opened = "async with" if "async" in flow else "with"
    return f"{flow} f():\n    {opened} {manager} as c:\n        {line}\n    return after(used)\n"


CLASS_V2 = (
    """
class Cluster:
    def __enter__(self):
        return 3
    def __exit__(self, *error):
        pass
"""
    + USE
)
FUNCTION_V2 = (
    """
@contextlib.contextmanager
def cluster():
    try:
        yield 3
    finally:
        pass
"""
    + USE
)
TASKS_V2 = (
    """
@task
def start_cluster():
    return 3
@task
def stop_cluster(c):
    pass
"""
    + USE
)
FOLDER_V1 = """
@resource_manager
class Folder:
    def setup(self):
        return 5
    def cleanup(self, folder):
        pass
"""
FOLDER_V2 = """
class Folder:
    def __enter__(self):
        return 5
    def __exit__(self, *error):
        pass
"""
TWO_V1 = (
    CLUSTER + FOLDER_V1 + USE + 'with Flow("f") as flow:\n    with Cluster() as c:\n        with Folder() as d:\n'
    "            used = use(c)\n    after(used)\n"
)
PHASES = {"Cluster.setup": "start_cluster", "Cluster.cleanup": "stop_cluster"}
TABLE = 'tasks = { "Cluster.setup" = "…", "Cluster.cleanup" = "…" }'

RESOURCES = {
    "class": couple(
        "A class with __enter__ and __exit__ of another name is the resource manager.",
        CLUSTER_V1,
        CLASS_V2.replace("class Cluster", "class DaskPool")
        + block("DaskPool()"),
        normalised="resource-renamed",
    ),
    "async": couple(
        "An async context manager is one too.",
        CLUSTER_V1,
        "@contextlib.asynccontextmanager\nasync def cluster():\n    yield 3\n" + USE
        + block("cluster()", flow="@flow\nasync def"),
    ),
    "exit_stack": couple(
        "A context manager that an ExitStack enters is entered, and left.",
        CLUSTER_V1,
        FUNCTION_V2 + "@flow\ndef f():\n    with contextlib.ExitStack() as stack:\n"
        "        used = use(stack.enter_context(cluster()))\n    return after(used)\n",
    ),
    "submitted": couple(
        "What is submitted in the block and not waited for goes on after the clean-up.",
        CLUSTER_V1,
        FUNCTION_V2 + block("cluster()", "used = use.submit(c)"),
        "order tasks.use.order",
    ),
    "submitted_sequential": couple(
        "Under a sequential task runner a submitted task is over at once.",
        CLUSTER_V1,
        FUNCTION_V2 + block(
            "cluster()", "used = use.submit(c)", "@flow(task_runner=SequentialTaskRunner())\ndef"
        ),
    ),
    "submitted_in_a_subflow": couple(
        "A subflow that is over has waited for what it submitted, and began after what its caller waited for.",
        CLUSTER_V1,
        FUNCTION_V2.replace("def cluster", "def pool") + "@flow\ndef work(c):\n    return use.submit(c)\n"
        "@flow\ndef f():\n    with pool() as c:\n        used = work(c)\n    return after(used)\n",
        normalised="resource-renamed",
    ),
    "mapped": couple(
        "Each child that uses the resource has to be waited for.",
        CLUSTER_V1.replace("use(c)", "use.map([1, 2], upstream_tasks=[unmapped(c)])").replace("    after(used)\n", ""),
        FUNCTION_V2
        + block("cluster()", "used = use.map([1, 2])\n        used[0].wait()").replace("after(used)", "used"),
        "order tasks.use[1].order",
    ),
    "body_fails": couple(
        "Without finally a failure in the block leaves the resource as it is.",
        CLUSTER_V1.replace("return x + 1", "raise ValueError(x)"),
        FUNCTION_V2.replace("return x + 1", "raise ValueError(x)").replace(
            "    try:\n        yield 3\n    finally:\n        pass\n", "    yield 3\n    print()\n"
        )
        + block("cluster()"),
        "task-missing tasks.Cluster.cleanup",
    ),
    "body_fails_async": couple(
        "An async generator without finally as well.",
        CLUSTER_V1.replace("return x + 1", "raise ValueError(x)"),
        "@contextlib.asynccontextmanager\nasync def cluster():\n    yield 3\n    print()\n"
        + USE.replace("return x + 1", "raise ValueError(x)")
        + block("cluster()", flow="@flow\nasync def"),
        "task-missing tasks.Cluster.cleanup",
    ),
    "body_and_cleanup_fail": couple(
        "A clean-up that fails after its block is a failed clean-up on both sides.",
        CLUSTER_V1.replace("return x + 1", "raise ValueError(x)").replace("pass", 'raise OSError("busy")'),
        FUNCTION_V2.replace("return x + 1", "raise ValueError(x)").replace("pass", 'raise OSError("busy")')
        + block("cluster()"),
    ),
    "base_class": couple(
        "A class that calls __enter__ of its base is set up once.",
        CLUSTER_V1,
        CLASS_V2.replace("class Cluster", "class Base")
        + "class Cluster(Base):\n    def __enter__(self):\n        return super().__enter__()\n"
        + block("Cluster()"),
    ),
    "library_base": couple(
        "A class that inherits __enter__ from the standard library is a context manager of the user's.",
        CLUSTER_V1,
        "class Cluster(contextlib.AbstractContextManager):\n    def __exit__(self, *error):\n        pass\n" + USE
        + "@flow\ndef f():\n    with Cluster():\n        used = use(3)\n    return after(used)\n",
    ),
    "init_fails": couple(
        "A resource that cannot be made is set up on neither side; nothing is left to say.",
        CLUSTER_V1.replace("    def setup", "    def __init__(self):\n        raise ValueError(1)\n    def setup"),
        CLASS_V2.replace("    def __enter__", "    def __init__(self):\n        raise ValueError(1)\n    def __enter__")
        + block("Cluster()"),
    ),
    "cleanup_only": couple(
        "A resource manager without a set-up has none to compare.",
        CLUSTER_V1.replace("    def setup(self):\n        return 3\n", "").replace("use(c)", "use(3)"),
        FUNCTION_V2 + block("cluster()"),
    ),
    "cleanup_fails": couple(
        "A failed clean-up fails the Prefect 2 flow only.",
        CLUSTER_V1.replace("pass", 'raise OSError("busy")'),
        FUNCTION_V2.replace("pass", 'raise OSError("busy")')
        + block("cluster()"),
        "final-state state", "task-missing tasks.after",
    ),
    "used_once_of_twice": couple(
        "Of two uses of one resource the second is missing.",
        CLUSTER + USE + 'with Flow("f") as flow:\n    with Cluster() as c:\n        one = use(c)\n'
        "    with Cluster() as d:\n        two = after(d, upstream_tasks=[one])\n",
        FUNCTION_V2 + "@flow\ndef f():\n    with cluster() as c:\n        one = use(c)\n    return after(c)\n",
        "task-missing tasks.Cluster.setup", "task-missing tasks.Cluster.cleanup",
    ),
    "by_hand": couple(
        "Plain code cannot be seen; the line of the table is named.",
        CLUSTER_V1,
        USE + "@flow\ndef f():\n    used = use(3)\n    return after(used)\n",
        said=TABLE,
    ),
    "one_of_two_by_hand": couple(
        "The context manager of one resource does not stand for the other.",
        TWO_V1,
        FOLDER_V2 + USE + "@flow\ndef f():\n    with Folder():\n        used = use(3)\n    return after(used)\n",
        said=TABLE,
    ),
    "tasks": couple(
        "Tasks that the table names are the phases.",
        CLUSTER_V1,
        TASKS_V2 + "@flow\ndef f():\n    c = start_cluster()\n    used = use(c)\n    stop_cluster(c)\n"
        "    return after(used)\n",
        tasks=PHASES,
    ),
    "tasks_too_early": couple(
        "The task that cleans up does not wait for what used the resource.",
        CLUSTER_V1,
        TASKS_V2 + "@flow\ndef f():\n    c = start_cluster()\n    used = use.submit(c)\n    stop_cluster(c)\n"
        "    return after(used)\n",
        "order tasks.use.order",
        tasks=PHASES,
    ),
    "tasks_without_clean_up": couple(
        "The task that cleans up is not called.",
        CLUSTER_V1,
        TASKS_V2 + "@flow\ndef f():\n    c = start_cluster()\n    used = use(c)\n    return after(used)\n",
        "task-missing tasks.Cluster.cleanup",
        tasks=PHASES,
    ),
    "tasks_half": couple(
        "What the table leaves out is said.",
        CLUSTER_V1,
        TASKS_V2 + "@flow\ndef f():\n    c = start_cluster()\n    used = use(c)\n    return after(used)\n",
        tasks={"Cluster.setup": "start_cluster"},
        said='write tasks = { "Cluster.cleanup" = "…" }',
    ),
    "renamed_by_table": couple(
        "The table names context managers where there are several.",
        TWO_V1,
        (FOLDER_V2 + CLASS_V2).replace("class Cluster", "class Pool").replace("class Folder", "class Scratch")
        + "@flow\ndef f():\n    with Pool() as c, Scratch():\n        used = use(c)\n    return after(used)\n",
        tasks={"Cluster.setup": "Pool.setup", "Cluster.cleanup": "Pool.cleanup", "Folder.setup": "Scratch.setup"},
    ),
}  # fmt: skip

# ------------------------------------------------------------------------------------------------------ mapping

WORK = """
@task
def numbers():
    return [3, 1, 2]
@task
def letters():
    return ["a", "b"]
@task
def lists():
    return [[1, 2], [], [3]]
@task
def work(x, y=0):
    return (x, y)
@task
def total(xs):
    return list(xs)
"""
FRAGILE = WORK.replace("return (x, y)", "if x == 1:\n        raise ValueError(x)\n    return x")


def mapping(why: str, v1: str, v2: str, *places: str, tasks: str = WORK, said: str | None = None) -> Couple:
    """A couple whose flows consist of these lines."""
    return couple(
        why,
        tasks + 'with Flow("f") as flow:\n    ' + v1.replace("\n", "\n    ") + "\n",
        tasks + "@flow\ndef f():\n    " + v2.replace("\n", "\n    ") + "\n",
        *places,
        said=said,
    )


MAPPING = {
    "comprehension": mapping(
        "A comprehension over calls is a map.",
        "total(work.map(numbers()))",
        "return total([work(x) for x in numbers()])",
    ),
    "held": mapping(
        "unmapped holds an argument; in Prefect 2 a value that is no list is held as well.",
        "total(work.map(numbers(), y=unmapped(7)))",
        "return total(work.map(numbers(), y=7))",
    ),
    "held_list": mapping(
        "A list that is not held is mapped along.",
        "total(work.map(numbers(), y=unmapped([7, 8, 9])))",
        "return total(work.map(numbers(), y=[7, 8, 9]))",
        "task-result tasks.work[0].result[1]", "task-result tasks.work[1].result[1]",
        "task-result tasks.work[2].result[1]", "task-result tasks.total.result[0][1]",
        "task-result tasks.total.result[1][1]", "task-result tasks.total.result[2][1]",
        "result result[0][1]", "result result[1][1]", "result result[2][1]",
    ),
    "flattened": mapping(
        "flatten takes one level away, empty lists with it.",
        "total(work.map(flatten(lists())))",
        "return total(work.map([x for part in lists() for x in part]))",
    ),
    "shortest": mapping(
        "Prefect 1 ends with the shortest list, Prefect 2 refuses lists of two lengths.",
        "total(work.map(numbers(), letters()))",
        "return total(work.map(numbers(), letters()))",
        "final-state state", "task-missing tasks.work[0]", "task-missing tasks.work[1]", "task-missing tasks.total",
    ),
    "shortest_zipped": mapping(
        "zip is what Prefect 1 does.",
        "total(work.map(numbers(), letters()))",
        "return total([work.submit(x, y) for x, y in zip(numbers(), letters())])",
    ),
    "padded": mapping(
        "Padded to the longest list: one child too many.",
        "total(work.map(numbers(), letters()))",
        'return total(work.map(numbers(), (letters() + ["", ""])[:3]))',
        "task-extra tasks.work#3", "task-result tasks.total.result[2]", "result result[2]",
    ),
    "empty": mapping(
        "Nothing to map over: no children, and the reduce gets an empty list.",
        "total(work.map(numbers()))",
        "return total(work.map(numbers()))",
        tasks=WORK.replace("[3, 1, 2]", "[]"),
    ),
    "none": mapping(
        "None cannot be mapped over in either.",
        "total(work.map(numbers()))",
        "return total(work.map(numbers()))",
        tasks=WORK.replace("[3, 1, 2]", "None"),
    ),
    "text": mapping(
        "Prefect 1 maps over the letters of a text, Prefect 2 does not map over it.",
        "total(work.map(numbers()))",
        "return total(work.map(numbers()))",
        "final-state state", "task-missing tasks.work[0]", "task-missing tasks.work[1]", "task-missing tasks.total",
        tasks=WORK.replace("[3, 1, 2]", "'ab'"),
    ),
    "dict": mapping(
        "Prefect 1 fails on a dict, Prefect 2 maps over its keys.",
        "total(work.map(numbers()))",
        "return total(work.map(numbers()))",
        "final-state state", "task-extra tasks.work", "task-extra tasks.work#2", "task-extra tasks.total",
        tasks=WORK.replace("[3, 1, 2]", "{1: 2, 3: 4}"),
    ),
    "child_fails": mapping(
        "One child fails: the others and the children behind them run, a reduce does not.",
        "total(work.map(work.map(numbers())))",
        "return total.submit(work.map(work.map(numbers())))",
        tasks=FRAGILE,
    ),
    "child_swallowed": mapping(
        "The failed child is left out and the reduce goes on with the rest.",
        "total(work.map(numbers()))",
        "children = work.map(numbers())\n"
        "return total([child.result() for child in children if child.wait().is_completed()])",
        "final-state state", "task-extra tasks.total",
        tasks=FRAGILE,
    ),
    "sorted": mapping(
        "The reduce gets the same children in another order.",
        "total(work.map(numbers()))",
        "return total(work.map(numbers())[::-1])",
        "task-result tasks.total.result", "result result",
    ),
    "map_over_map": mapping(
        "A map over a map goes on with futures.",
        "ns = numbers()\ntotal(work.map(work.map(ns), y=ns))",
        "ns = numbers()\nreturn total(work.map(work.map(ns), y=ns))",
    ),
}  # fmt: skip

# -------------------------------------------------------------------------------------------------------- loops

LOOP_V1 = """
@task(max_retries=2, retry_delay=timedelta(seconds=30))
def count(x=0):
    n = prefect.context.get("task_loop_result", x) + 1
    if n == {fails} and prefect.context.task_run_count == 1:
        raise ValueError(n)
    if n < 4:
        raise signals.LOOP(result=n)
    return n
"""
LOOP_FLOW_V1 = 'with Flow("f") as flow:\n    count()\n'
STEP_V2 = """
@task(retries=2, retry_delay_seconds=30)
def count(n):
    n = n + 1
    if n == {fails} and get_run_context().task_run.run_count == 1:
        raise ValueError(n)
    return n
@flow
def f():
    n = 0
    for _ in range({rounds}):
        n = count(n)
    return n
"""
WHOLE_V2 = """
@task(retries=2, retry_delay_seconds=30)
def count():
    n = 0
    while n < 4:
        n += 1
        if n == {fails} and get_run_context().task_run.run_count == 1:
            raise ValueError(n)
    return n
@flow
def f():
    return count()
"""

LOOPS = {
    "in_task": couple(
        "A loop in the task is one run on both sides; its rounds are not seen.",
        LOOP_V1.format(fails=0) + LOOP_FLOW_V1,
        WHOLE_V2.format(fails=0),
        normalised="loop-in-task",
    ),
    "in_flow": couple(
        "A call for each round is the loop.",
        LOOP_V1.format(fails=0) + LOOP_FLOW_V1,
        STEP_V2.format(fails=0, rounds=4),
        normalised="loop-in-flow",
    ),
    "in_flow_retried": couple(
        "A retry of the second round is a retry of the second call.",
        LOOP_V1.format(fails=2) + LOOP_FLOW_V1,
        STEP_V2.format(fails=2, rounds=4),
    ),
    "in_flow_not_retried": couple(
        "The second call is not retried where the second round was.",
        LOOP_V1.format(fails=2) + LOOP_FLOW_V1,
        STEP_V2.format(fails=0, rounds=4),
        "retry-count tasks.count.attempts",
    ),
    "in_task_retried": couple(
        "A loop in the task begins again when it is retried, which the states do not show: it is said.",
        LOOP_V1.format(fails=2) + LOOP_FLOW_V1,
        WHOLE_V2.format(fails=2),
        said="begins again when it is retried",
    ),
    "in_flow_short": couple(
        "One round fewer.",
        LOOP_V1.format(fails=0) + LOOP_FLOW_V1,
        STEP_V2.format(fails=0, rounds=3),
        "task-missing tasks.count.rounds", "task-result tasks.count.result", "result result",
    ),
    "mapped": couple(
        "Each child loops by itself.",
        LOOP_V1.format(fails=0) + 'with Flow("f") as flow:\n    count.map([1, 2])\n',
        """
@task(retries=2, retry_delay_seconds=30)
def count(n):
    return n + 1
@flow
def f():
    done = []
    for n in (1, 2):
        while n < 4:
            n = count(n)
        done.append(n)
    return done
""",
    ),
}  # fmt: skip

# ------------------------------------------------------------------------------------------------- dependencies

LOADS = """
@task
def a():
    return "x"
@task
def b(x=None):
    return "y"
@task
def c(x=None, y=None):
    return "z"
"""
CHAIN_V1 = LOADS + 'with Flow("f") as flow:\n    c(upstream_tasks=[b(upstream_tasks=[a()])])\n'


def chain(why: str, v2: str, *places: str, head: str = "", decorator: str = "@flow", order: bool = True) -> Couple:
    """A chain of three tasks that hand nothing on, against these lines of a Prefect 2 flow."""
    body = v2.replace("\n", "\n    ")
    maker = "async def" if "await " in v2 else "def"
    tasks = LOADS.replace("\ndef", "\nasync def") if "await " in v2 else LOADS
    return couple(why, CHAIN_V1, f"{tasks}{head}{decorator}\n{maker} f():\n    {body}\n", *places, order=order)


LOST = "order tasks.b.order"
ORDER = {
    "called": chain("Calls follow one another.", 'a()\nb()\nc()\nreturn "z"'),
    "wait_for": chain("wait_for orders.", "return c.submit(wait_for=[b.submit(wait_for=[a.submit()])])"),
    "wait_for_list": chain("wait_for takes lists.", "return c.submit(wait_for=[[b.submit(wait_for=[[a.submit()]])]])"),
    "allowed_failure": chain(
        "allow_failure around a future waits.",
        "return c.submit(wait_for=[allow_failure(b.submit(wait_for=[allow_failure(a.submit())]))])",
    ),
    "waits": chain("wait() and result() order.", "a.submit().wait()\nb.submit().result()\nreturn c()"),
    "states": chain(
        "return_state waits.", "a(return_state=True)\nb.submit(return_state=True)\nreturn c()"
    ),
    "by_a_later_one": chain(
        "Waiting for a task waits for what it waited for.",
        "first = a.submit()\nbetween = c.with_options(name='between').submit(first)\nbetween.wait()\nb()\nreturn c()",
        "task-extra tasks.between",
    ),
    "handed_on": chain(
        "A future in a structure orders.", "first = a.submit()\nreturn c.submit({'of': [b.submit({'of': first})]})"
    ),
    "sequential": chain(
        "Under a sequential runner what is submitted first is over first.",
        "a.submit()\nb.submit()\nreturn c.submit()",
        decorator="@flow(task_runner=SequentialTaskRunner())",
    ),
    "sequential_subflow": chain(
        "The runner is that of the subflow, not of the flow that calls it.",
        "loads()\nreturn c()",
        head="@flow(task_runner=SequentialTaskRunner())\ndef loads():\n    a.submit()\n    b.submit()\n",
    ),
    "concurrent_subflow": chain(
        "In a concurrent subflow of a sequential flow nothing is ordered by itself.",
        "loads()\nreturn c()",
        LOST,
        head="@flow\ndef loads():\n    a.submit()\n    b.submit()\n",
        decorator="@flow(task_runner=SequentialTaskRunner())",
    ),
    "subflow_after": chain(
        "What a sequential flow submitted before is over before its subflow begins.",
        "a.submit()\nrest()\nreturn c()",
        head="@flow\ndef rest():\n    b.submit()\n",
        decorator="@flow(task_runner=SequentialTaskRunner())",
    ),
    "subflows": chain("A subflow is over when its call is.", "loads()\nb()\nreturn c()",
                      head="@flow\ndef loads():\n    a.submit()\n"),
    "async": chain("Awaited calls follow one another.", "await a()\nawait b()\nreturn await c()"),
    "gathered": chain(
        "Calls that are gathered run beside each other.", "await asyncio.gather(a(), b())\nreturn await c()", LOST
    ),
    "lost": chain("A lost wait_for is found although the run came first.",
                  "a.submit()\nreturn c.submit(wait_for=[b.submit()])", LOST),
    "lost_unasked": couple(
        "Without the word in compare it is said, with the line to write.",
        CHAIN_V1,
        LOADS + "@flow\ndef f():\n    a.submit()\n    return c.submit(wait_for=[b.submit()])\n",
        said='write compare = [..., "order"]',
    ),
    "equal_text": chain(
        "An equal text is no result: the engine takes it for one, and does not wait.",
        'a.submit()\nreturn c.submit(b.submit("x"))', LOST,
    ),
    "equal_text_beside_future": chain(
        "An equal text beside the future itself takes nothing away from it.",
        'return c.submit(b.submit(a.submit()), "y")',
    ),
    "turned": chain("The later one runs first.", "b()\na()\nreturn c()", LOST),
    "mapped": couple(
        "Child by child of a map over a map, and the reduce after all.",
        LOADS + 'with Flow("f") as flow:\n    c(b.map(b.map([1, 2])))\n',
        LOADS + "@flow\ndef f():\n    return c.submit(b.map(b.map([1, 2])))\n",
        order=True,
    ),
    "mapped_lost": couple(
        "A reduce that gets plain values of some children does not wait for the others.",
        LOADS + 'with Flow("f") as flow:\n    c(upstream_tasks=[b.map([1, 2])])\n',
        LOADS + "@flow\ndef f():\n    done = b.map([1, 2])\n    done[0].wait()\n    return c()\n",
        "order tasks.c.order",
        order=True,
    ),
    "branch": couple(
        "An if waits for what it asks.",
        LOADS + 'with Flow("f") as flow:\n    with case(a(), "x"):\n        b()\n',
        LOADS + '@flow\ndef f():\n    if a.submit().result() == "x":\n        return b.submit()\n',
        order=True,
    ),
}  # fmt: skip

COUPLES = {
    f"{group}_{name}": made
    for group, couples in (("resource", RESOURCES), ("map", MAPPING), ("loop", LOOPS), ("order", ORDER))
    for name, made in couples.items()
}

Runner = Callable[[str], tuple[Trace, Trace]]


@pytest.fixture(scope="module")
def run(worker_of: Callable[[str, Mapping[str, str]], Worker]) -> Runner:
    """Runs a couple by its name on both sides at once."""
    workers = {
        "v1": worker_of("v1", {f"{name}.py": HEAD_V1 + made.v1 for name, made in COUPLES.items()}),
        "v2": worker_of("v2", {f"{name}.py": HEAD_V2 + made.v2 for name, made in COUPLES.items()}),
    }

    def traces(name: str) -> tuple[Trace, Trace]:
        for side, worker in workers.items():
            path = str(worker.spec.flows / f"{name}.py")
            worker.send(run_message(path, "flow" if side == "v1" else "f", "f", {}))
        replies = {side: worker.collect(60) for side, worker in workers.items()}
        for reply in replies.values():
            assert reply.message.get("done") == "run", reply
            assert not {"failure", "problem"} & set(reply.message), reply.message
        v1, v2 = (build(side, replies[side].events, read=workers[side].reader()) for side in ("v1", "v2"))
        return v1, v2

    return traces


def compared(made: Couple, v1: Trace, v2: Trace) -> Comparison:
    """The comparison under the couple's settings."""
    return compare(v1, v2, Rules(compare=(*ASPECTS, "order") if made.order else ASPECTS, tasks=made.tasks))


@pytest.mark.parametrize("name", COUPLES)
def test_couple(run: Runner, name: str) -> None:
    """Each couple differs at the places it was made to differ, and nowhere else; what is said is said.

    Which flows were called is left to the tests of subflows.
    """
    made = COUPLES[name]
    comparison = compared(made, *run(name))
    found = {f"{one.kind} {one.path}" for one in comparison.differences if not one.path.startswith("flows.")}
    assert found == made.places, (made.why, comparison.differences)
    assert comparison.matches
    assert made.normalised is None or made.normalised in comparison.normalised
    if made.said is None:
        assert comparison.uncompared == ()
    else:
        assert any(made.said in text for text in comparison.uncompared), comparison.uncompared
