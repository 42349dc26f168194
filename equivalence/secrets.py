"""Secrets that a run asked for and the configuration does not hold: the line to write."""

from __future__ import annotations

import re

from equivalence.trace import Trace

_ABSENT = re.compile(r'Local Secret "([^"]+)" was not found\.')
"""1.4.1 client/secrets.py."""


def absent(text: str) -> str | None:
    """The line to write for the secret that a text of Prefect 1 says it did not find; None of any other text."""
    found = _ABSENT.search(text)
    if found is None:
        return None
    return (
        f'the Prefect 1 flow asks for the secret "{found[1]}", which is not configured. '
        "Give it a value, for both sides, in pyproject.toml:\n"
        "[tool.equivalence.environment]\n"
        f'secrets = {{ {_key(found[1])} = "…" }}'
    )


def absent_in(trace: Trace) -> str | None:
    """The line to write for a secret by which a run of the old flow failed."""
    if trace.side != "v1":
        return None
    failures = [failure.message for run in trace.tasks for failure in run.failures]
    failures += [failure.message for failure in (trace.exception,) if failure is not None]
    return next(filter(None, map(absent, failures)), None)


def _key(name: str) -> str:
    plain = re.fullmatch(r"[A-Za-z0-9_-]+", name)
    return name if plain else '"' + name.replace("\\", "\\\\") + '"'
