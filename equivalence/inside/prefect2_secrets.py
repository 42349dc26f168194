"""Secrets of the configuration, put where a Prefect 2 flow looks for them: blocks and variables of the worker's own."""

from __future__ import annotations

import json
import re
from typing import Any, Mapping


def keep_secrets(secrets: Mapping[str, Any]) -> None:
    """A ``Secret`` block and a variable for each, and a ``JSON`` block for a table or list.

    Names as Prefect 2 allows them: ``API_KEY`` is the block ``api-key`` and the variable ``api_key``. What is no text
    becomes JSON, since a block and a variable hold text alone (2.20.26). What a variable cannot hold is none.
    """
    if not secrets:
        return
    from prefect.blocks.system import JSON, Secret

    for name, value in secrets.items():
        written = value if isinstance(value, str) else json.dumps(value)
        _save(name, Secret(value=written))
        if isinstance(value, (dict, list)):
            _save(name, JSON(value=value))
        _set_variable(variable_name(name), written)


def _save(name: str, block: Any) -> None:
    try:
        block.save(block_name(name), overwrite=True)
    except Exception as error:  # its text may hold the value
        raise RuntimeError(
            "the secret %r cannot be saved as the block %r (%s): give it another name"
            % (name, block_name(name), type(error).__name__)
        ) from None


def _set_variable(name: str, value: str) -> None:
    try:
        from prefect.variables import Variable

        Variable.set(name=name, value=value, overwrite=True)
    except Exception:
        pass  # longer than 5000 characters, or a release without such variables


def block_name(name: str) -> str:
    """A name of lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def variable_name(name: str) -> str:
    """A name of lower-case letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
