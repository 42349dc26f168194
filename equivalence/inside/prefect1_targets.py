"""Targets of Prefect 1: a task whose file is there is not run. The files lie in a folder of the case."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import Any, Callable, Iterator, List, Optional

ASKED = "PREFECT__FLOWS__CHECKPOINTING"
"""The variable by which the user says whether results are written."""


class Targets(object):
    """Keeps what ``LocalResult`` writes below ``home``, until it is forgotten."""

    def __init__(self, home: str) -> None:
        self._folder = os.path.join(home, "case-results")

    def install(self) -> None:
        """Let every ``LocalResult`` read and write below the folder (1.4.1 engine/results/local_result.py)."""
        from prefect.engine.results import LocalResult

        targets = self

        def read(result: Any, location: str) -> Any:
            found = result.copy()
            found.location = location
            with open(targets._place(result, location), "rb") as file:
                found.value = result.serializer.deserialize(file.read())
            return found

        def write(result: Any, value_: Any, **kwargs: Any) -> Any:
            written = result.format(**kwargs)
            written.value = value_
            place = targets._place(result, written.location)
            content = written.serializer.serialize(value_)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "wb") as file:
                file.write(content)
            written.location = os.path.join(result.dir, written.location)
            return written

        def exists(result: Any, location: str, **kwargs: Any) -> bool:
            return os.path.exists(targets._place(result, location.format(**kwargs)))

        for function in (read, write, exists):
            function.__doc__ = getattr(LocalResult, function.__name__).__doc__
            setattr(LocalResult, function.__name__, function)

    def _place(self, result: Any, location: str) -> str:
        path = os.path.abspath(os.path.join(result.dir, location))
        return os.path.join(self._folder, os.path.splitdrive(path)[1].lstrip(os.sep))

    def forget(self) -> None:
        """Remove the files of the case before."""
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextlib.contextmanager
    def of(self, flow: Any, emit: Callable[..., None]) -> Iterator[None]:
        """While a flow runs: a flow with targets has checkpointing on, as agents set it."""
        import prefect

        kinds = _kinds(flow)
        if not kinds or ASKED in os.environ:
            yield
            return
        elsewhere = [kind for kind in kinds if kind != "LocalResult"]
        if elsewhere:
            emit("replaced", text="checkpointing stays off: %s is not of this machine" % ", ".join(elsewhere))
            yield
            return
        emit(
            "replaced", text="checkpointing is on, as agents set it; results of LocalResult lie in a folder of the case"
        )
        with prefect.context(checkpointing=True):
            yield


def _kinds(flow: Any) -> List[str]:
    """The classes of the results that the flow's targets are looked for with."""
    found = []  # type: List[str]
    for task in flow.slugs:
        result = _result_of(flow, task)
        if getattr(task, "target", None) and result is not None and type(result).__name__ not in found:
            found.append(type(result).__name__)
    return found


def _result_of(flow: Any, task: Any) -> Optional[Any]:
    return task.result if task.result is not None else flow.result
