"""The rows of the guide "Migrating from Prefect 1 to Prefect 2", by which rules and portfolio are ordered."""

from __future__ import annotations

from typing import Final

ROWS: Final[dict[str, str]] = {
    "G01": "flow definition",
    "G02": "parameters",
    "G03": "final state",
    "G04": "reference tasks",
    "G05": "output",
    "G06": "retries",
    "G07": "signals",
    "G08": "triggers",
    "G09": "skips",
    "G10": "conditionals",
    "G11": "resource manager",
    "G12": "mapping",
    "G13": "task loops",
    "G14": "state handlers",
    "G15": "caching",
    "G16": "dependencies",
    "G17": "task names and tags",
    "G18": "timeouts",
    "G19": "logging",
    "G20": "context",
    "G21": "secrets",
    "G22": "executors",
    "G23": "async",
    "G24": "subflows",
    "G25": "validation",
    "G26": "schedules",
    "G27": "run configuration",
    "G28": "concurrency limits",
    "G29": "projects and registration",
    "G30": "notifications",
    "G31": "task library",
    "G32": "storage of runs, API",
}
"""Id to title."""
