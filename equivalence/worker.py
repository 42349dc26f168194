"""The host's end of one worker process: start, ask, time out, kill, start again.

A worker that hangs or dies never takes a result with it: its events have arrived as they happened, and the run
becomes a trace that ends in ``TimedOut`` or ``Crashed``.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from equivalence.errors import WorkerFailure
from equivalence.inside import values, wire

INSIDE = Path(__file__).parent / "inside" / "__main__.py"
START_TIMEOUT = 180.0
KEPT_OUTPUT = 64 * 1024
"""Bytes of a run's printed output that are kept: its end."""

PASSED_ON = ("PATH", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
"""Variables of the caller that a worker sees, beside ``LC_*``: never its tokens, profile or ``PREFECT_*``."""

MARK = "EQUIVALENCE_WORKER"
"""A variable in the environment of a worker and so of its children, by which strays are found."""


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """How to start the worker of one side. Paths are absolute.

    ``home_template`` is a migrated Prefect 2 home. ``shown`` and ``shown_root`` are the flows folder and the root as
    the user knows them; of a side that is taken from a git revision, ``flows`` and ``root`` lie in that tree.
    """

    side: str
    python: Path
    root: Path
    flows: Path
    shown: Path
    shown_root: Path
    python_path: tuple[Path, ...] = ()
    home_template: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one message: events in order, and how it ended.

    ``ended`` is None when the worker finished, else ``TimedOut`` or ``Crashed`` with a sentence in ``reason``; then
    the process is gone. ``message`` is the worker's last message.
    """

    message: Mapping[str, Any]
    events: tuple[Mapping[str, Any], ...] = ()
    output: str = ""
    ended: str | None = None
    reason: str = ""
    seconds: float = 0.0


class Worker:
    """One process of one side, started when first asked and replaced when it died."""

    def __init__(self, spec: WorkerSpec) -> None:
        self.spec = spec
        self.info: Mapping[str, Any] = {}
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: wire.Channel | None = None
        self._messages: queue.SimpleQueue[Mapping[str, Any] | None] = queue.SimpleQueue()
        self._folder: Path | None = None
        self._printed: BinaryIO | None = None
        self._asked = 0.0
        self._mark = uuid.uuid4().hex
        self._ready = False
        self._turn = 0
        self._remains: Callable[[int, int], bytes] = lambda offset, length: b""

    def __repr__(self) -> str:
        return f"<Worker {self.spec.side} {'running' if self._process else 'stopped'}>"

    def launch(self) -> None:
        """Start the process without waiting for it; importing Prefect takes seconds that others can use."""
        if self._process is not None:
            return
        folder = Path(tempfile.mkdtemp(prefix=f"equivalence-{self.spec.side}-"))
        self._folder = folder
        (folder / "home").mkdir()
        prefect_home = folder / "prefect"
        if self.spec.home_template is not None:
            shutil.copytree(self.spec.home_template, prefect_home)
        else:
            prefect_home.mkdir()
        self._printed = open(folder / "output", "ab+")  # noqa: SIM115 - lives as long as the worker
        command_read, command_write = os.pipe()
        event_read, event_write = os.pipe()
        try:
            self._process = subprocess.Popen(
                [str(self.spec.python), str(INSIDE), str(command_read), str(event_write)],
                stdin=subprocess.DEVNULL,
                stdout=self._printed,
                stderr=self._printed,
                cwd=self.spec.root,
                env=self._environment(prefect_home),
                pass_fds=(command_read, event_write),
                start_new_session=True,
            )
        except OSError as error:
            for fd in (command_read, command_write, event_read, event_write):
                os.close(fd)
            self._clean()
            raise WorkerFailure(f"{self.spec.side}: {self.spec.python} could not be started: {error}") from error
        os.close(command_read)
        os.close(event_write)
        self._channel = wire.Channel(event_read, command_write)
        self._messages = queue.SimpleQueue()
        self.starts += 1
        self._ready = False
        threading.Thread(target=_listen, args=(self._channel, self._messages), daemon=True).start()
        self._channel.send(
            {
                "do": "start",
                "side": self.spec.side,
                "root": str(self.spec.root),
                "flows": str(self.spec.flows),
                "python_path": [str(entry) for entry in self.spec.python_path],
                "spool": str(folder / "spool"),
                "home": str(prefect_home),
                "secrets": dict(self.spec.secrets),
            }
        )

    def start(self) -> Mapping[str, Any]:
        """Launch the process where needed and wait until it has its engine ready; what it says of itself.

        Raises WorkerFailure with the worker's own words when it does not come up.
        """
        self.launch()
        if not self._ready:
            self._asked = time.monotonic()
            reply = self.collect(START_TIMEOUT)
            failure = reply.message.get("failure")
            if reply.ended is not None or failure:
                words = str(failure or reply.output or reply.reason).strip()
                self.kill()
                raise WorkerFailure(
                    f"{self.spec.side}: the worker ({self.spec.python}) did not start:\n{words}\n"
                    "Try `import prefect` with this interpreter by hand."
                )
            if reply.message.get("protocol") != wire.PROTOCOL:
                self.kill()
                raise WorkerFailure(
                    f"{self.spec.side}: the worker speaks protocol {reply.message.get('protocol')}, "
                    f"this host {wire.PROTOCOL}: reinstall pytest-equivalence"
                )
            self.info = reply.message
            self._ready = True
        return self.info

    def send(self, message: Mapping[str, Any]) -> None:
        """Give a command; its reply comes from ``collect``."""
        self.start()
        assert self._channel is not None
        self._turn += 1
        self._forget_output()
        self._asked = time.monotonic()
        with contextlib.suppress(OSError):  # a worker that just died: ``collect`` says so
            self._channel.send(dict(message))

    def collect(self, timeout: float) -> Reply:
        """Wait for the reply to the last command, at most ``timeout`` seconds after it was given."""
        events: list[Mapping[str, Any]] = []
        deadline = self._asked + timeout
        while True:
            try:
                message = self._messages.get(timeout=max(deadline - time.monotonic(), 0))
            except queue.Empty:
                return self._cut_short(events, "TimedOut", f"no end after {timeout:g} seconds; the worker was killed")
            if message is None:
                return self._cut_short(events, "Crashed", self._last_words())
            if "done" in message:
                seconds = float(message.get("seconds", time.monotonic() - self._asked))
                return Reply(message, tuple(events), self._output(), seconds=seconds)
            events.append(message)

    def ask(self, message: Mapping[str, Any], timeout: float) -> Reply:
        """``send`` and ``collect``."""
        self.send(message)
        return self.collect(timeout)

    def reader(self) -> Callable[[int, int], bytes]:
        """Reads large values of the last run from the spool file; good until the next command is given."""
        turn, folder = self._turn, self._folder
        if folder is None:
            return self._remains

        def read(offset: int, length: int) -> bytes:
            if turn != self._turn:
                raise WorkerFailure(f"{self.spec.side}: a value of an earlier run was asked for")
            with open(folder / "spool", "rb") as spool:
                spool.seek(offset)
                return spool.read(length)

        return read

    def memory(self) -> Callable[[int, int], bytes]:
        """Reads large values of the last run from memory: what must outlive the next run."""
        path = self._folder / "spool" if self._folder is not None else None
        content = path.read_bytes() if path is not None and path.exists() else b""
        return lambda offset, length: content[offset : offset + length]

    def stop(self) -> None:
        """End the process in good order, then whatever it left behind."""
        process = self._process
        if process is not None and self._channel is not None:
            with contextlib.suppress(OSError):
                self._channel.send({"do": "stop"})
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2)
        self.kill()

    def kill(self) -> None:
        """End the process and its children at once, and remove its folder."""
        process, self._process = self._process, None
        if process is None:
            return
        strays = _descendants(process.pid, self._mark)
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        for stray in strays:
            with contextlib.suppress(psutil.Error):
                stray.kill()
        process.wait()
        if self._channel is not None:
            self._channel.close()
        self._ready = False
        self._clean()

    def _clean(self) -> None:
        if self._printed is not None:
            self._printed.close()
            self._printed = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        self._process = None

    def _cut_short(self, events: Sequence[Mapping[str, Any]], ended: str, reason: str) -> Reply:
        output = self._output()
        seconds = time.monotonic() - self._asked
        self._remains = self.memory()
        self.kill()
        return Reply({}, tuple(events), output, ended, reason, seconds)

    def _last_words(self) -> str:
        if self._process is None:
            return "the worker is gone"
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        code = self._process.returncode
        if code is None:
            return "the worker closed its channel; it was killed"
        if code < 0:
            return f"the worker was ended by {signal.Signals(-code).name}"
        return f"the worker ended by itself with status {code}"

    def _environment(self, prefect_home: Path) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith("LC_")}
        assert self._folder is not None
        environment.update(
            {
                MARK: self._mark,
                "HOME": str(self._folder / "home"),
                "PYTHONHASHSEED": "0",
                "PYTHONNOUSERSITE": "1",
                "PYTHONUNBUFFERED": "1",
                "PYTHONWARNINGS": "ignore",
                "PYTHONIOENCODING": "utf-8",
            }
        )
        if self.spec.side == "v1":
            environment.update(
                {
                    "PREFECT__HOME_DIR": str(prefect_home),
                    "PREFECT__USER_CONFIG_PATH": str(prefect_home / "config.toml"),
                    "PREFECT__LOGGING__LEVEL": "INFO",
                    "PREFECT__CLOUD__SEND_FLOW_RUN_LOGS": "false",
                }
            )
        else:
            from equivalence.inside import prefect2_engine

            environment.update(prefect2_engine.environment(str(prefect_home)))
            environment.update(
                {
                    "PREFECT_HOME": str(prefect_home),
                    "PREFECT_PROFILES_PATH": str(prefect_home / "profiles.toml"),
                    "PREFECT_LOGGING_LEVEL": "INFO",
                }
            )
        environment.update(self.spec.variables)
        return environment

    def _forget_output(self) -> None:
        if self._printed is not None:
            self._printed.truncate(0)

    def _output(self) -> str:
        """What was printed since the last command, its end when it is long."""
        if self._printed is None:
            return ""
        size = os.fstat(self._printed.fileno()).st_size
        self._printed.seek(max(size - KEPT_OUTPUT, 0))
        text = self._printed.read(KEPT_OUTPUT).decode("utf-8", "replace")
        if size > KEPT_OUTPUT:
            return f"… the first {size - KEPT_OUTPUT} bytes are left out …\n{text}"
        return text


def run_message(
    path: str,
    variable: str | None,
    name: str,
    parameters: Mapping[str, Any],
    *,
    seed: int = 0,
    outputs: Sequence[str] = (),
    clock: float | None = None,
    goes_on: bool = False,
) -> dict[str, Any]:
    """The command that runs one flow with parameters, which travel as envelopes of typed trees.

    ``clock`` is the time stamp at which Prefect's clock stands, None for the true one; a run that ``goes_on`` finds
    what the run before it left in the caches.
    """
    return {
        "do": "run",
        "path": path,
        "variable": variable,
        "name": name,
        "parameters": [[key, values.encode(value)] for key, value in parameters.items()],
        "seed": seed,
        "outputs": list(outputs),
        "clock": clock,
        "goes_on": goes_on,
    }


def _listen(channel: wire.Channel, messages: queue.SimpleQueue[Mapping[str, Any] | None]) -> None:
    """Hand on messages until the worker is gone; None stands for that, and for garbage in its place."""
    while True:
        try:
            message = channel.receive()
        except (wire.WireError, OSError):
            message = None
        messages.put(message)
        if message is None:
            return


def _descendants(pid: int, mark: str) -> list[psutil.Process]:
    """The process's children and theirs, and strays that left the family but still carry the worker's mark."""
    found: dict[int, psutil.Process] = {}
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(pid).children(recursive=True):
            found[child.pid] = child
    for process in psutil.process_iter():
        if process.pid in found or process.pid == pid:
            continue
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                found[process.pid] = process
    return list(found.values())
