"""The graph of a Prefect 1 flow: which tasks are the user's own, which stand for its output, what they declare."""

from __future__ import annotations

from typing import Any, Dict, List, Optional


def role_of(task: Any) -> Optional[str]:
    """What a task is when Prefect 1 made it and not the user: its role in a word; None for the user's own.

    The classes are those of 1.4.1: core/parameter.py, tasks/core, tasks/control_flow, tasks/secrets.
    """
    module, name = type(task).__module__, type(task).__name__
    if name in ("Parameter", "DateTimeParameter") and module == "prefect.core.parameter":
        return "parameter"
    if module == "prefect.tasks.core.constants":
        return "constant"
    if module == "prefect.tasks.core.collections":
        return "collection"
    if module == "prefect.tasks.core.operators":
        return "operator"
    if module == "prefect.tasks.core.resource_manager":
        return {"ResourceInitTask": "resource-init", "ResourceSetupTask": "resource-setup"}.get(
            name, "resource-cleanup"
        )
    if module == "prefect.tasks.control_flow.conditional":
        return "merge" if name == "Merge" else "condition"
    if module.startswith("prefect.tasks.control_flow.") and name == "AsBool":
        return "condition"
    if module.startswith("prefect.tasks.secrets"):
        return "secret"
    if module == FLOW_RUNS or getattr(getattr(task, "run", None), "__module__", "") == FLOW_RUNS:
        return "flow-run-result" if task.name == "get_task_run_result" else "flow-run"
    if name == "FunctionTask" and getattr(getattr(task, "run", None), "__module__", "") == (
        "prefect.tasks.control_flow.conditional"
    ):
        return "condition"
    return None


FLOW_RUNS = "prefect.tasks.prefect.flow_run"

BARE_ROLES = (
    "flow-run",
    "parameter",
    "constant",
    "secret",
    "condition",
    "resource-init",
    "resource-setup",
    "resource-cleanup",
)


def output_tasks(flow: Any) -> List[Any]:
    """The tasks whose results stand for the flow's output, in build order: its terminal tasks.

    Engine-made terminal tasks that only hand on give way to what feeds them: an unpacked tuple ends in ``GetItem``
    tasks, of which the unused ones are terminal although the task behind them is not. A ``merge``, an operator and
    an item that was asked for by hand (``task["key"]``) count as themselves.
    """

    def hands_on(task: Any) -> bool:
        if role_of(task) == "operator":
            return type(task).__name__ == "GetItem" and any(up.nout for up in flow.upstream_tasks(task))
        return role_of(task) == "collection"

    def own(task: Any) -> List[Any]:
        if hands_on(task):
            return [feeder for upstream in flow.upstream_tasks(task) for feeder in own(upstream)]
        return [] if role_of(task) in BARE_ROLES else [task]

    def feeds(task: Any) -> bool:
        return any(
            feeds(down) if hands_on(down) else role_of(down) not in BARE_ROLES for down in flow.downstream_tasks(task)
        )

    candidates = {task for terminal in flow.terminal_tasks() for task in own(terminal)}
    return [task for task in flow.slugs if task in candidates and not feeds(task)]


def declared(task: Any) -> Dict[str, Any]:
    """What a task declares of its retries and its time limit; seconds."""
    delay = seconds(task.retry_delay)
    return {
        "tags": sorted(str(tag) for tag in task.tags),
        "handlers": len(task.state_handlers),
        "retries": task.max_retries,
        "delays": [float(delay)] if isinstance(delay, (int, float)) else [],
        "timeout": task.timeout,
    }


def seconds(delay: Any) -> Any:
    """A timedelta in seconds; anything else as it is."""
    return delay.total_seconds() if hasattr(delay, "total_seconds") else delay
