"""What a user's ``conftest.py`` may answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from equivalence.pairing import Pair


@pytest.hookspec
def pytest_equivalence_strategies(pair: Pair) -> Mapping[str, SearchStrategy[Any]] | None:
    """Strategies for parameters of a pair, by their v1 or v2 names; they win over what the types say.

    Return None for pairs you have nothing to say about. ``pair.name`` is the name in the report.
    """


@pytest.hookspec(firstresult=True)
def pytest_equivalence_compare(pair: Pair, path: str, v1: Any, v2: Any) -> bool | None:
    """Whether two values that differ at ``path`` are the same all the same.

    True: equal. False: different. None: no opinion, as without the hook. The values are plain Python data; what
    could not be made plain is its typed tree.
    """
