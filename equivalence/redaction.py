"""Secrets of the configuration, taken out of everything that is shown or written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

SHORTEST = 4
"""Characters of a secret below which it is only taken out where it stands alone: else it is part of other words."""


class Redactor:
    """Replaces the values of secrets by their names, also as Python, JSON and URLs write them."""

    def __init__(self, secrets: Mapping[str, object]) -> None:
        found = [(written, f"<secret {name}>") for name, value in secrets.items() for written in _written(value)]
        self._parts = sorted(found, key=lambda entry: -len(entry[0]))  # the longer first: one may hold another

    def text(self, text: str) -> str:
        """The text without secrets."""
        for written, name in self._parts:
            if len(written) >= SHORTEST:
                text = text.replace(written, name)
            elif text in (written, repr(written)):
                text = name
        return text

    def data(self, data: Any) -> Any:
        """JSON data without secrets, keys included."""
        if not self._parts:
            return data
        if isinstance(data, str):
            return self.text(data)
        if isinstance(data, Mapping):
            return {self.text(str(key)): self.data(value) for key, value in data.items()}
        if isinstance(data, list | tuple):
            return [self.data(value) for value in data]
        return data


def _written(value: object) -> Iterator[str]:
    """The ways in which a secret may be written; of a table or array each member."""
    if isinstance(value, str) and value:
        yield from dict.fromkeys((value, repr(value)[1:-1], json.dumps(value)[1:-1]))
    elif isinstance(value, Mapping | list):
        yield json.dumps(value)
        for member in value.values() if isinstance(value, Mapping) else value:
            yield from _written(member)
