"""Runs that outlive the worker: the rows of a flow run, copied into a database that Prefect 2 can open in its UI."""

from __future__ import annotations

import os
import sqlite3
from typing import Iterator, Tuple  # noqa: F401 - used in comments

_OF_THE_RUN = (
    ("flow", "id IN (SELECT flow_id FROM flow_run WHERE id = ?)"),
    ("flow_run", "id = ?"),
    ("flow_run_state", "flow_run_id = ?"),
    ("task_run", "flow_run_id = ?"),
    ("task_run_state", "task_run_id IN (SELECT id FROM task_run WHERE flow_run_id = ?)"),
)
"""Tables, and which of their rows belong to a flow run; 2.10 to 2.20."""


def keep(database: str, home: str, run: str) -> str:
    """Copy a flow run, the runs of its subflows with it, into ``prefect.db`` of another home; the run's name."""
    os.makedirs(home, exist_ok=True)
    target = os.path.join(home, "prefect.db")
    source = sqlite3.connect(database, timeout=30)
    try:
        runs = list(_with_children(source, run))
        if not os.path.exists(target):
            kept = sqlite3.connect(target)
            try:
                source.backup(kept)
                with kept:
                    for table in ("task_run_state", "task_run", "flow_run_state", "flow_run", "task_run_state_cache"):
                        kept.execute("DELETE FROM %s" % table)
            finally:
                kept.close()
        source.execute("ATTACH DATABASE ? AS kept", (target,))
        with source:
            for one in runs:
                for table, rows in _OF_THE_RUN:
                    source.execute(
                        "INSERT OR REPLACE INTO kept.%s SELECT * FROM main.%s WHERE %s" % (table, table, rows), (one,)
                    )
        (name,) = source.execute("SELECT name FROM flow_run WHERE id = ?", (run,)).fetchone()
        return str(name)
    finally:
        source.close()


def _with_children(source: sqlite3.Connection, run: str) -> Iterator[str]:
    yield run
    query = "SELECT id FROM flow_run WHERE parent_task_run_id IN (SELECT id FROM task_run WHERE flow_run_id = ?)"
    rows = source.execute(query, (run,)).fetchall()  # type: list[Tuple[str]]
    for (child,) in rows:
        yield from _with_children(source, child)
