"""The folder environments are kept in: its place, atomic records, locks that tell their holder."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from equivalence.environments.process import Cancel

Progress = Callable[[str], None]

#: Raised whenever the layout below the cache folder changes, so that older contents are never taken for ours.
LAYOUT = "1"

_SAY_AGAIN_SECONDS = 15.0


def cache_root() -> Path:
    """The folder of environments, homes and what was found out about interpreters; outside any repository."""
    override = os.environ.get("EQUIVALENCE_CACHE_DIR")
    if override:
        return Path(override).expanduser().absolute()
    import platformdirs  # here and not above: a start with the variable set need not pay for it

    return Path(platformdirs.user_cache_dir("equivalence"))


def digest(*parts: str) -> str:
    """32 hex characters of all parts; the parts' borders count."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogateescape")
        state.update(b"%d:" % len(data))
        state.update(data)
    return state.hexdigest()


def stamp(path: Path) -> list[int] | None:
    """Time and size of what the path leads to, which change when it is replaced; None without a file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_mtime_ns, status.st_size]


def read_record(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None when there is none or it is damaged, which means: find out anew."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def write_record(path: Path, data: Mapping[str, Any]) -> None:
    """Write a JSON object so that a reader sees all of it or the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}-{os.urandom(4).hex()}")
    try:
        draft.write_text(json.dumps(data, indent=1, sort_keys=True), encoding="utf-8")
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


@contextmanager
def locked(folder: Path, what: str, progress: Progress, cancel: Cancel) -> Iterator[None]:
    """Hold the lock of a folder, across processes and threads; whoever waits says for whom."""
    from filelock import FileLock, Timeout

    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.with_name(folder.name + ".lock"))
    owner = folder.with_name(folder.name + ".owner.json")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        started = said = time.monotonic()
        progress(f"{what}: waiting for {_owner(owner)} …")
        while True:
            cancel.check()
            try:
                lock.acquire(timeout=0.2, poll_interval=0.05)
                break
            except Timeout:
                if time.monotonic() - said > _SAY_AGAIN_SECONDS:
                    said = time.monotonic()
                    progress(f"{what}: still waiting for {_owner(owner)} ({said - started:.0f} s) …")
    try:
        write_record(owner, {"pid": os.getpid(), "what": what})
        yield
    finally:
        with suppress(OSError):
            owner.unlink()
        lock.release()


def _owner(path: Path) -> str:
    record = read_record(path)
    if record is None:
        return "another session that builds the same"
    return f"process {record.get('pid')}, which builds the same ({record.get('what')})"
