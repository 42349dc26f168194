"""Secrets of the configuration, put where a Prefect 2 flow looks for them: blocks and variables of the worker's own."""

from __future__ import annotations

import json
from typing import Any, Mapping


def keep_secrets(secrets: Mapping[str, Any]) -> None:
    """A ``Secret`` block and a variable for each.

    Names as Prefect 2 allows them: ``API_KEY`` is the block ``api-key`` and the variable ``api_key``. What is no text
    becomes JSON, since a block and a variable hold text alone (2.20.26).
    """
    if not secrets:
        return
    from prefect.blocks.system import Secret
    from prefect.variables import Variable

    for name, value in secrets.items():
        written = value if isinstance(value, str) else json.dumps(value)
        Secret(value=written).save(block_name(name), overwrite=True)
        if written:
            Variable.set(name=variable_name(name), value=written, overwrite=True)


def block_name(name: str) -> str:
    """A name of lower-case letters, digits and dashes."""
    return "".join(character if character.isalnum() else "-" for character in name.lower())


def variable_name(name: str) -> str:
    """A name of lower-case letters, digits and underscores."""
    return "".join(character if character.isalnum() else "_" for character in name.lower())
