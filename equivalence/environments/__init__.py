"""Interpreter → virtualenv → ready to use: both sides' environments, checked for their Prefect."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from equivalence.environments.build import build_environment, pinned_requirements
from equivalence.environments.existing import existing_environment
from equivalence.environments.home import ensure_home
from equivalence.environments.interpreters import Interpreter, find_interpreter
from equivalence.environments.process import Cancel
from equivalence.environments.records import Environment, SideRequest
from equivalence.errors import UsageProblem

__all__ = [
    "Environment",
    "Interpreter",
    "SideRequest",
    "check_prefect",
    "ensure_environment",
    "ensure_environments",
    "find_interpreter",
    "pinned_requirements",
]


def ensure_environment(
    side: SideRequest, progress: Callable[[str], None], *, cancel: Cancel | None = None
) -> Environment:
    """One side's environment, found ready or made now, with its Prefect checked; raises `UsageProblem`."""
    if side.interpreter is not None:
        environment = existing_environment(side, cancel)
    else:
        environment = build_environment(side, progress, cancel)
    check_prefect(side, environment)
    if side.name == "v2":
        environment = replace(environment, home_template=ensure_home(side, environment, progress, cancel))
    return environment


def ensure_environments(
    v1: SideRequest, v2: SideRequest, progress: Callable[[str], None]
) -> tuple[Environment, Environment]:
    """Both sides at the same time; what is wrong with either is told in one message."""
    cancel, mutex = Cancel(), threading.Lock()

    def say(line: str) -> None:
        with mutex:
            progress(line)

    def ensure(side: SideRequest) -> Environment:
        try:
            return ensure_environment(side, say, cancel=cancel)
        except UsageProblem:
            say(f"{side.name}: failed; finishing the other side")
            raise

    with ThreadPoolExecutor(2, thread_name_prefix="equivalence-environment") as pool:
        futures = [pool.submit(ensure, side) for side in (v1, v2)]
        try:
            problems = [problem for future in futures if (problem := future.exception()) is not None]
        except BaseException:  # an interrupt reaches this thread alone
            cancel.set()
            raise
    for problem in problems:
        if not isinstance(problem, UsageProblem):
            raise problem
    if len(problems) == 2:
        raise UsageProblem("\n\n".join(str(problem) for problem in problems))
    if problems:
        raise problems[0]
    return futures[0].result(), futures[1].result()


def check_prefect(side: SideRequest, environment: Environment) -> None:
    """Raise `UsageProblem` unless the environment holds the Prefect that its side is about."""
    version = environment.prefect_version
    wanted = "Prefect 1 (1.x, or 0.15 and later)" if side.name == "v1" else "Prefect 2 (2.x)"
    if version is not None and _fits(side.name, version):
        return
    if version is not None:
        found = f"Prefect {version}"
    elif "prefect-client" in environment.packages:
        found = f"prefect-client {environment.packages['prefect-client']}, which lacks the engine,"
    else:
        found = "no Prefect"
    if side.interpreter is not None:
        advice = (
            f"set interpreter under {side.table} to a Python whose environment holds {wanted}, "
            "or leave it out and have an environment built"
        )
        key = "interpreter"
    else:
        default = pinned_requirements(side.name).stem.replace("-", "==", 1)
        advice = f'add "{default}" to requirements under {side.table}, or leave that key out for the pinned set'
        key = "requirements"
    raise UsageProblem(
        f"{side.name} ({key} under {side.table}): {found} is installed for {environment.python} "
        f"(Python {environment.python_version}), and {side.name} needs {wanted}. What to do: {advice}."
    )


def _fits(name: str, version: str) -> bool:
    numbers = re.match(r"(\d+)(?:\.(\d+))?", version)
    if numbers is None:
        return False
    major, minor = int(numbers.group(1)), int(numbers.group(2) or 0)
    return major == 2 if name == "v2" else major == 1 or (major == 0 and minor >= 15)
