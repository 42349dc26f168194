"""Where things live in the releases of Prefect 2, 2.0.0 to 2.20.26: one place to look for each.

======================  ===========================  ==========================  ==========================
what                    2.0 to 2.5                   2.6, 2.7                    2.8 and later
======================  ===========================  ==========================  ==========================
the server              ``prefect.orion``            ``prefect.orion``           ``prefect.server``
the client              ``prefect.client``           ``prefect.client.orion``    ``…client.orchestration``
settings of the server  ``PREFECT_ORION_…``          ``PREFECT_ORION_…``         ``PREFECT_API_…``
data of a state         ``DataDocument``             results                     results
======================  ===========================  ==========================  ==========================
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
from typing import Any, Callable

OLD_SETTINGS = {
    "PREFECT_API_DATABASE_CONNECTION_URL": "PREFECT_ORION_DATABASE_CONNECTION_URL",
    "PREFECT_API_DATABASE_MIGRATE_ON_START": "PREFECT_ORION_DATABASE_MIGRATE_ON_START",
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "PREFECT_ORION_BLOCKS_REGISTER_ON_START",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "PREFECT_ORION_ANALYTICS_ENABLED",
    "PREFECT_LOGGING_TO_API_ENABLED": "PREFECT_LOGGING_ORION_ENABLED",
}
"""Settings, and their names before 2.8; a release ignores the names that it does not know."""


def name_settings() -> None:
    """Repeat the worker's settings under their old names for a release that reads these; before Prefect is imported."""
    package = importlib.util.find_spec("prefect")
    folders = list(package.submodule_search_locations or ()) if package is not None else []
    if any(os.path.isdir(os.path.join(folder, "server")) for folder in folders):
        return
    for name, old in OLD_SETTINGS.items():
        if name in os.environ:
            os.environ[old] = os.environ[name]


def clock_step() -> float:
    """Seconds that two stamps have to be apart: an older API writes a microsecond as 1e-06, which it cannot read."""
    return 1e-6 if importlib.util.find_spec("prefect.server") is not None else 1e-4


def server(name: str) -> Any:
    """A module of the server, by its name there: ``orchestration.core_policy``."""
    try:
        return importlib.import_module("prefect.server." + name)
    except ImportError:
        return importlib.import_module("prefect.orion." + name)


def client_class() -> Any:
    """The class whose methods the engine tells of every state."""
    for module, name in (
        ("prefect.client.orchestration", "PrefectClient"),
        ("prefect.client.orion", "OrionClient"),
        ("prefect.client", "OrionClient"),
    ):
        try:
            return getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            continue
    raise RuntimeError("this release of Prefect 2 has no client where 2.0 to 2.20 have it")


def call_flow(flow: Any, parameters: Any) -> Any:
    """Run a flow for its state; an awaitable of an async flow. Releases before 2.6 know no ``wait_for`` of flows."""
    from prefect.engine import enter_flow_run_engine_from_flow_call as enter

    given = {"wait_for": None, "return_type": "state"}
    known = inspect.signature(enter).parameters
    return enter(flow, parameters, **{name: value for name, value in given.items() if name in known})


def runners_start_as(instead: Callable[[Any], Any]) -> None:
    """Start another task runner in the place of the flow's own; 2.0 to 2.9 start the one that the flow declares."""
    from prefect.task_runners import BaseTaskRunner

    start = BaseTaskRunner.start

    def started(runner: Any) -> Any:
        return start(instead(runner))

    BaseTaskRunner.start = started


async def value_of(data: Any) -> Any:
    """The live value behind the data of a state: results and documents know how to get it."""
    if hasattr(data, "decode") and hasattr(data, "has_cached_data"):
        return await _value_of_document(data)
    get = getattr(data, "get", None)
    if get is None or not hasattr(data, "has_cached_object"):
        return data
    value = get()
    return await value if inspect.isawaitable(value) else value


async def _value_of_document(document: Any) -> Any:
    """What a document holds; one that names a file is read (2.0.4 engine.py, ``orchestrate_task_run``)."""
    if document.encoding == "result" and not hasattr(document, "_data"):
        from prefect.results import _retrieve_serialized_result

        document = type(document).parse_raw(await _retrieve_serialized_result(document))
    return document.decode()


def state_of(future: Any) -> Any:
    """The state of a task run that is over, with its live value: before 2.6 the API only knows where it was written."""
    state = getattr(future, "_final_state", None)
    return state if state is not None else future.get_state()
