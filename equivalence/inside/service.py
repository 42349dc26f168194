"""What a worker answers: one message in, events out as they happen, one last message that says it is done."""

from __future__ import annotations

import decimal
import gc
import locale
import os
import queue
import random
import sys
import threading
import time
import traceback
from typing import Any, Dict, List

from . import loading, values, wire


class Service(object):
    """One worker. Commands are carried out on the main thread: Prefect 1 interrupts tasks there, by a signal."""

    def __init__(self, channel: wire.Channel) -> None:
        self._channel = channel
        self._pid = os.getpid()
        self._spool = None  # type: Any
        self._engine = None  # type: Any
        self._loader = None  # type: Any
        self._started = 0.0
        self._builders = {}  # type: Dict[str, List[str]]
        self._built = {}  # type: Dict[Any, Any]
        self._running = ""

    def send(self, message: Dict[str, Any]) -> None:
        """Send an event. A child that a flow forked off ends here: only the worker itself speaks to the host."""
        if os.getpid() != self._pid:
            os._exit(0)
        self._channel.send(message)

    def emit(self, event: str, **fields: Any) -> None:
        """Send one event of the run that is under way, with the seconds since it began."""
        fields["e"] = event
        fields["at"] = round(time.monotonic() - self._started, 6)
        self.send(fields)

    def encode(self, value: Any) -> Dict[str, Any]:
        """A value as an envelope; what is large goes to the spool file."""
        return values.encode(value, self._spool)

    def start(self, message: Dict[str, Any]) -> Dict[str, Any]:
        """Import the engine and make it ready for its first run."""
        if message["side"] == "v1":
            from . import prefect1 as module
        else:
            from . import prefect2 as module  # type: ignore[no-redef]
        self._spool_path = message["spool"]
        self._engine = module.Engine(message)
        gc.disable()  # importing makes much that stays: collecting meanwhile finds nothing and costs a tenth
        try:
            info = dict(self._engine.start())
        finally:
            gc.enable()
        self._flows_folder = message["flows"]
        self._engine.find_flows = self._find_flows
        self._loader = loading.Loader(message["root"], message["flows"], message["python_path"], self._engine)
        info.update(protocol=wire.PROTOCOL, python="%d.%d.%d" % sys.version_info[:3], pid=os.getpid())
        return info

    def describe(self, message: Dict[str, Any]) -> Dict[str, Any]:
        """All flows of one file, with their parameters, tasks and settings."""
        loaded = self._loader.load(message["path"])
        self._builders.update({loaded.path: message["builders"]})
        return {"flows": [self._describe(loaded, *found) for found in self._flows(loaded)], "notes": loaded.notes}

    def _flows(self, loaded: loading.Loaded) -> List[Any]:
        """(variable, kind, flow, line) of each flow of the file, in the order of construction."""
        variables = {}  # type: Dict[int, str]
        for name, value in vars(loaded.module).items():
            if self._engine.is_flow(value):
                variables.setdefault(id(value), name)
        found = [(variables.get(id(item.flow)), "flow", item.flow, item.line) for item in loaded.flows]
        configured = [
            (name, getattr(loaded.module, name).__code__.co_firstlineno)
            for name in self._builders.get(loaded.path, ())
            if hasattr(getattr(loaded.module, name, None), "__code__")
        ]
        by_shape = loading.builders(loaded.path) if not found and self._engine.side == "v1" else []
        for name, line in dict(by_shape + configured).items():
            if (loaded.path, name) not in self._built:
                try:
                    with self._engine.loading(loading.Watch(loaded.path)):
                        self._built[loaded.path, name] = getattr(loaded.module, name)()
                except Exception as error:
                    raise loading.LoadError(loading.user_traceback(error))
            flow = self._built[loaded.path, name]
            if self._engine.is_flow(flow):
                found.append((name, "builder", flow, line))
        return found

    def _find_flows(self, name: str) -> Any:
        """The flows of this name, in the file that runs, else in all files of the side; and all names there are."""
        found, known = self._flows_in(self._running, name)
        if not found:
            for path in loading.python_files(self._flows_folder):
                try:
                    here, names = self._flows_in(path, name)
                except loading.LoadError:
                    continue
                found += here
                known += names
        self._loader.activate(self._running)
        return found, known

    def _flows_in(self, path: str, name: str) -> Any:
        flows = [flow for _, _, flow, _ in self._flows(self._loader.load(path))]
        names = [self._engine.name_of(flow) for flow in flows]
        return [flow for flow, other in zip(flows, names) if other == name], names

    def _describe(self, loaded: loading.Loaded, variable: Any, kind: str, flow: Any, line: int) -> Dict[str, Any]:
        description = dict(self._engine.describe(flow, loaded.module))
        description.update(variable=variable, kind=kind, line=line)
        return description

    def run(self, message: Dict[str, Any]) -> Dict[str, Any]:
        """Run one flow with one case; what happens is sent as events."""
        loaded = self._loader.load(message["path"])
        self._running = loaded.path
        wanted = (message["variable"], message["name"])
        for variable, _kind, flow, _line in self._flows(loaded):
            if (variable, self._engine.name_of(flow)) == wanted:
                break
        else:
            raise loading.LoadError("%s holds no flow %r any more" % (loaded.path, message["name"]))
        parameters = {
            name: values.decode(envelope["root"], envelope.get("shared")) for name, envelope in message["parameters"]
        }
        self._spool = values.Spool(self._spool_path)  # opening it empties it: one run's values at a time
        environment, folder = dict(os.environ), os.getcwd()
        arithmetic, language = decimal.getcontext().copy(), locale.setlocale(locale.LC_ALL)
        random.seed(message["seed"])
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed(message["seed"] % 2**32)  # type: ignore[attr-defined]
        self._started = time.monotonic()
        try:
            self._engine.clock.stand(message.get("clock"))
            self._engine.run(
                flow, loaded.module, parameters, message["outputs"], self.emit, self.encode, message.get("goes_on")
            )
        finally:
            seconds = time.monotonic() - self._started
            self._engine.clock.stand(None)
            self._spool.close()
            if dict(os.environ) != environment:
                os.environ.clear()
                os.environ.update(environment)
            if os.getcwd() != folder:
                os.chdir(folder)
            decimal.setcontext(arithmetic)
            locale.setlocale(locale.LC_ALL, language)
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except Exception:
                    pass  # a flow may have closed or replaced its streams
        return {"seconds": seconds}

    def keep(self, message: Dict[str, Any]) -> Dict[str, Any]:
        """Keep a run of this worker for later, where the engine stores runs."""
        return {"name": self._engine.keep(message["run"], message["home"])}

    def answer(self, message: Dict[str, Any]) -> bool:
        """Carry out one command; False when it was the last one."""
        command = message["do"]
        if command == "stop":
            return False
        try:
            reply = getattr(self, command)(message)
        except loading.LoadError as error:
            reply = {"problem": str(error)}
        except BaseException as error:
            reply = {"failure": "".join(traceback.format_exception(type(error), error, error.__traceback__))}
        reply["done"] = command
        self.send(reply)
        return True


def main(reading: int, writing: int) -> None:
    """Answer commands until the host says stop or is gone."""
    for fd in (reading, writing):
        os.set_inheritable(fd, False)
    channel = wire.Channel(reading, writing)
    commands = queue.Queue()  # type: queue.Queue[Dict[str, Any]]

    def listen() -> None:
        # On a thread of its own, so that a worker in the middle of a run ends as well when its host is gone.
        while True:
            try:
                message = channel.receive()
            except (wire.WireError, OSError):
                message = None
            if message is None:
                os._exit(0)
            commands.put(message)

    service = Service(channel)
    threading.Thread(target=listen, name="equivalence-commands", daemon=True).start()
    while service.answer(commands.get()):
        pass
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a flow's own threads must not keep the process alive
