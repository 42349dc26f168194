"""Both sides together: their workers, the descriptions of their flow files, and one case run on both at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from equivalence.descriptions import FlowDescription
from equivalence.errors import EquivalenceError
from equivalence.flows import FileProblem, FlowInfo, flow_files
from equivalence.redaction import Redactor
from equivalence.secrets import absent, absent_in
from equivalence.trace import Read, Trace, build
from equivalence.worker import Reply, Worker, WorkerSpec, run_message

if TYPE_CHECKING:
    from equivalence.cases import Case


@dataclass(frozen=True, slots=True)
class Described:
    """The flow files of one side: what was found in them, and those that did not load."""

    flows: Mapping[FlowInfo, FlowDescription]
    problems: tuple[FileProblem, ...]


@dataclass(frozen=True, slots=True)
class FlowOutputs:
    """Tasks whose results a pair's table names as output, per side; empty for the default."""

    v1: tuple[str, ...] = ()
    v2: tuple[str, ...] = ()


START = 1_718_750_400.0
"""When every case begins: 2024-06-18 22:40 UTC, a Tuesday, and Wednesday already a little further east.

The same in every session, so that a case shows the same again and files for that day can be prepared; on a date of
which day, month, hour and minute cannot be taken for each other.
"""


class Sides:
    """One warm worker per side; started early, so that importing Prefect overlaps with everything else.

    Both ends may be workers of one side: a flow against itself.
    """

    def __init__(self, v1: WorkerSpec, v2: WorkerSpec, *, run_timeout: float, load_timeout: float) -> None:
        self.workers = {"v1": Worker(v1), "v2": Worker(v2)}
        self._redactor = Redactor({**v1.secrets, **v2.secrets})
        self._run_timeout = run_timeout
        self._load_timeout = load_timeout
        self.runs = {"v1": 0, "v2": 0}
        self.seconds = {"v1": 0.0, "v2": 0.0}

    def launch(self) -> None:
        """Start both processes without waiting for them."""
        for worker in self.workers.values():
            worker.launch()

    def close(self) -> None:
        """End both processes and all that they left running."""
        for worker in self.workers.values():
            worker.stop()

    def describe(
        self, builders: Mapping[str, Sequence[tuple[str, str]]], progress: Callable[[str], None]
    ) -> dict[str, Described]:
        """Load every flow file of both sides, the two sides at the same time.

        ``builders`` are the configured functions that build a flow (``orders.py::build()``), by side: file and name.
        """
        queues = {side: flow_files(worker.spec.flows) for side, worker in self.workers.items()}
        flows: dict[str, dict[FlowInfo, FlowDescription]] = {"v1": {}, "v2": {}}
        problems: dict[str, list[FileProblem]] = {"v1": [], "v2": []}
        while any(queues.values()):
            asked = {side: paths.pop(0) for side, paths in queues.items() if paths}
            for side, path in asked.items():
                worker = self.workers[side]
                own = [name for place, name in builders[side] if place in self._names(worker, path)]
                worker.send({"do": "describe", "path": str(path), "builders": own})
            for side, path in asked.items():
                worker = self.workers[side]
                reply = worker.collect(self._load_timeout)
                file, shown = self._names(worker, path)
                problem = _problem(reply)
                if problem is not None:
                    problems[side].append(FileProblem(side, file, shown, problem))  # type: ignore[arg-type]
                    continue
                notes = tuple(reply.message.get("notes", ()))
                for message in reply.message["flows"]:
                    description = FlowDescription.from_message(message, file=shown, notes=notes)
                    info = FlowInfo(
                        side=side,  # type: ignore[arg-type]
                        file=file,
                        path=shown,
                        variable=description.variable,
                        name=description.name,
                        kind=description.kind,  # type: ignore[arg-type]
                        line=description.line,
                    )
                    flows[side][info] = description
        return {side: Described(flows[side], tuple(problems[side])) for side in ("v1", "v2")}

    @staticmethod
    def _names(worker: Worker, path: Path) -> tuple[str, str]:
        """A file below its flows folder, and as shown to the user."""
        file = path.relative_to(worker.spec.flows)
        shown = Path(os.path.relpath(worker.spec.shown / file, worker.spec.shown_root))
        return file.as_posix(), shown.as_posix()

    def run(self, v1: FlowInfo, v2: FlowInfo, case: Case, outputs: FlowOutputs) -> tuple[tuple[Trace, Trace], ...]:
        """Every run of a case, on both sides at the same time. Values of the last traces can be read until the next.

        A run that was cut short is the last one: with its process the caches of Prefect 1 are gone.
        """
        played: list[tuple[Trace, Trace]] = []
        for since, run in case.runs():
            played = [_kept(self.keep(traces)) for traces in played]
            played.append(self._run(v1, v2, run, outputs, START + since, bool(played)))
            if any(trace.ended is not None for trace in played[-1]):
                break
        return tuple(played)

    def _run(
        self, v1: FlowInfo, v2: FlowInfo, case: Case, outputs: FlowOutputs, clock: float, goes_on: bool
    ) -> tuple[Trace, Trace]:
        plans = {
            "v1": (v1, case.for_v1(), outputs.v1),
            "v2": (v2, case.for_v2(), outputs.v2),
        }
        for side, (flow, parameters, wanted) in plans.items():
            worker = self.workers[side]
            path = str(worker.spec.flows / flow.file)
            asked = run_message(
                path,
                flow.variable,
                flow.name,
                parameters,
                seed=case.seed,
                outputs=wanted,
                clock=clock,
                goes_on=goes_on,
            )
            worker.send(asked)
        replies = {side: self.workers[side].collect(self._run_timeout) for side in ("v1", "v2")}
        return self._trace("v1", replies["v1"]), self._trace("v2", replies["v2"])

    def _trace(self, side: str, reply: Reply) -> Trace:
        self.runs[side] += 1
        self.seconds[side] += reply.seconds
        if "failure" in reply.message or "problem" in reply.message:
            words = str(reply.message.get("failure") or reply.message.get("problem")).strip()
            raise EquivalenceError(f"{side}: the worker could not run the flow:\n{words}")
        trace = build(
            self.workers[side].spec.side,
            map(self._redactor.event, reply.events),
            read=self._redactor.reader(self.workers[side].reader()),
            output=self._redactor.text(reply.output),
            ended=reply.ended,
            reason=reply.reason,
            seconds=reply.seconds,
        )
        line = absent_in(trace)
        if line is not None:
            raise EquivalenceError(line)
        return trace

    def keep_run(self, run: str, home: Path) -> str | None:
        """Copy a Prefect 2 run into the database of a home of its own; the run's name, None when that failed."""
        worker = self.workers["v2"]
        worker.send({"do": "keep", "run": run, "home": str(home)})
        reply = worker.collect(self._load_timeout)
        return reply.message.get("name") if reply.ended is None else None

    def keep(self, traces: tuple[Trace, Trace]) -> tuple[Trace, ...]:
        """The same traces with their large values in memory, so that they outlive the next run."""
        workers = self.workers.values()
        return tuple(
            _with_reader(trace, self._redactor.reader(worker.memory()))
            for trace, worker in zip(traces, workers, strict=True)
        )


def _kept(traces: tuple[Trace, ...]) -> tuple[Trace, Trace]:
    v1, v2 = traces
    return v1, v2


def _with_reader(trace: Trace, read: Read) -> Trace:
    tasks = tuple(
        replace(run, result=replace(run.result, load=read)) if run.result is not None else run for run in trace.tasks
    )
    outputs = tuple(replace(output, value=replace(output.value, load=read)) for output in trace.outputs)
    return replace(trace, tasks=tasks, outputs=outputs)


def _problem(reply: Reply) -> str | None:
    """Why a file could not be described, in the words of the user's own traceback; None when it could."""
    if reply.ended == "TimedOut":
        advice = "Move what it does at import into a function."
        return f"loading it did not end: {reply.reason}. {advice}\n{reply.output}".rstrip()
    if reply.ended is not None:
        return f"loading it ended the process: {reply.reason}\n{reply.output}".rstrip()
    for key in ("problem", "failure"):
        if key in reply.message:
            said = str(reply.message[key]).strip()
            line = absent(said)
            return said if line is None else f"{said}\n{line}"
    return None
