"""Running uv and interpreters: clean variables, output kept, a sign of life, and an end on interrupt."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

#: Variables that point Python or an installer at another environment than the one meant, or change what a
#: requirement resolves to. Where packages come from (index, proxy, certificates, credentials) is the user's
#: and stays.
_MISLEADING = frozenset(
    {
        "CONDA_PREFIX",
        "PIP_REQUIRE_VIRTUALENV",
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONPLATLIBDIR",
        "PYTHONSTARTUP",
        "PYTHONUSERBASE",
        "UV_BREAK_SYSTEM_PACKAGES",
        "UV_CONSTRAINT",
        "UV_EXCLUDE_NEWER",
        "UV_NO_VERIFY_HASHES",
        "UV_OVERRIDE",
        "UV_PRERELEASE",
        "UV_PROJECT",
        "UV_PROJECT_ENVIRONMENT",
        "UV_PYTHON",
        "UV_REQUIRE_HASHES",
        "UV_RESOLUTION",
        "UV_SYSTEM_PYTHON",
        "UV_VENV_SEED",
        "UV_WORKING_DIRECTORY",
        "VIRTUAL_ENV",
        "__PYVENV_LAUNCHER__",
    }
)

_SIGN_OF_LIFE_SECONDS = 15.0


class Cancelled(BaseException):
    """The session was interrupted while an environment was being built in another thread."""


class Cancel:
    """A switch that ends, from another thread, whatever is waited for."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Ask everything that checks this to stop."""
        self._event.set()

    def check(self) -> None:
        """Raise `Cancelled` once `set` was called."""
        if self._event.is_set():
            raise Cancelled


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended, with its output of both channels in order."""

    status: int
    output: str

    def last_lines(self, count: int = 30) -> str:
        """The end of the output, where installers say what went wrong."""
        return "\n".join(self.output.rstrip().splitlines()[-count:])


def clean_variables(extra: Mapping[str, str] | None = None, *, drop_prefixes: Sequence[str] = ()) -> dict[str, str]:
    """This process's variables without those that mislead, and with `extra`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.upper() not in _MISLEADING and not name.upper().startswith(tuple(drop_prefixes))
    }
    kept.update(extra or {})
    return kept


def run(
    command: Sequence[str],
    *,
    variables: Mapping[str, str],
    folder: Path,
    cancel: Cancel,
    alive: Callable[[float, str], None] | None = None,
    limit: float | None = None,
) -> Finished:
    """Run to the end; `alive` hears seconds and the last line now and then; then `limit` kills it."""
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(variables),
        cwd=folder,
        # A group of its own: killing it takes along compilers and build backends that an installer starts.
        start_new_session=True,
    )
    chunks: list[bytes] = []

    def drain() -> None:
        assert process.stdout is not None
        with process.stdout as output:
            chunks.extend(output)

    reader = threading.Thread(target=drain, daemon=True)
    reader.start()
    started = said = time.monotonic()
    try:
        while True:
            try:
                status = process.wait(timeout=0.1)
                break
            except subprocess.TimeoutExpired:
                cancel.check()
            now = time.monotonic()
            if limit is not None and now - started > limit:
                _kill(process)
                reader.join(5)
                chunks.append(f"killed: no end after {limit:.0f} s\n".encode())
                return Finished(status=-9, output=_text(chunks))
            if alive is not None and now - said > _SIGN_OF_LIFE_SECONDS:
                said = now
                alive(now - started, _text(chunks[-1:]).strip())
    except BaseException:
        _kill(process)
        raise
    reader.join(5)
    return Finished(status=status, output=_text(chunks))


def _text(chunks: Sequence[bytes]) -> str:
    return b"".join(chunks).decode("utf-8", "replace")


def _kill(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=5)
