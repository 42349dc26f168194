"""One warm Prefect 2 for many runs: the API in this process stays open, its database calls run on the loop.

Nothing here decides a state: orchestration policies, client methods, task runners, retries, caching and
results stay Prefect's own code, and every row is still written to the database.  What changes is the way a
request takes from the engine to the file beside it.  Each replacement looks at the shape of the library
first; where it does not know that shape (older 2.x), it leaves the engine as it is and says nothing.
"""

from __future__ import annotations

import asyncio
import copy
import gc
import sqlite3
import threading
import time
from collections import deque
from typing import Any, Callable

# What a worker sets before it imports Prefect; see also `environment`.
ENVIRONMENT = {
    # The API of a run lives in this process and answers nobody else: no telemetry, no log upload.
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    # The home is a copy of a migrated one with its blocks registered.
    "PREFECT_API_DATABASE_MIGRATE_ON_START": "false",
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
    # The in-process API hands out no such token; asking for one is a request per run, answered by a refusal.
    "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
}

# Prefect's own busy timeout for SQLite.
LOCK_SECONDS = 60.0
LOCK_PAUSE = 0.002
# Prefect issues some 150 different statements; sqlite3 keeps 100 to 128 prepared unless told otherwise.
CACHED_STATEMENTS = 512

_held = {}  # type: dict[str, Any]


def environment(home: str) -> dict[str, str]:
    """Return `ENVIRONMENT` with the place of the database written out for the given PREFECT_HOME.

    Prefect works out its default place anew, with a look at the file system, 130 times in a run of five
    tasks.
    """
    place = home.replace("\\", "/").rstrip("/")
    url = "sqlite+aiosqlite:///" + place + "/prefect.db"
    return dict(ENVIRONMENT, PREFECT_API_DATABASE_CONNECTION_URL=url)


def warm_up() -> list[str]:
    """Apply the replacements, open the API and hold it; return one short sentence for each replacement."""
    if "sentences" in _held:
        return list(_held["sentences"])
    sentences = []  # type: list[str]
    steps = (
        _hold_loop,
        _database_on_loop,
        _dependencies_on_loop,
        _one_tls_context,
        _one_logging_document,
        _threads_not_kept,
    )
    for replace in steps:
        try:
            sentence = replace()
        except (ImportError, AttributeError):
            sentence = ""
        if sentence:
            sentences.append(sentence)
    if "thread" in _held:
        _open_client()
        sentences.append("the in-process API stays open between runs")
    _held["sentences"] = sentences
    # Modules loaded so far live as long as the process; walking them in every full collection finds nothing.
    gc.collect()
    gc.freeze()
    return list(sentences)


def close() -> None:
    """Close the held API, let the global loop end and put the engine's own parts back."""
    thread, client = _held.get("thread"), _held.get("client")
    try:
        if thread is not None and thread.thread.is_alive():
            if client is not None:
                leave = client.__aexit__(None, None, None)
                asyncio.run_coroutine_threadsafe(leave, thread._loop).result(30)
            thread.shutdown()
            thread.thread.join(30)
    finally:
        for put_back in reversed(_held.get("undo", [])):
            put_back()
        _held.clear()


def _replace(owner: Any, name: str, new: Any) -> None:
    old = getattr(owner, name)
    _held.setdefault("undo", []).append(lambda: setattr(owner, name, old))
    setattr(owner, name, new)


# The global loop and the client --------------------------------------------------------------------


def _hold_loop() -> str:
    """Keep the loop that Prefect stops after every root flow, and with it the API and its connections.

    Safe: the flow's last state is written before the engine waits for the loop's exit; what the exit does to
    things left over (shutdown calls are awaited, tasks are cancelled and awaited) `_settle` does on the
    living loop.
    """
    import prefect.engine as engine
    from prefect._internal.concurrency.threads import get_global_loop
    from prefect.client.orchestration import get_client

    thread = get_global_loop()
    names = ("thread", "_loop", "shutdown", "_on_shutdown", "_run_call")
    known = all(hasattr(thread, name) for name in names)
    if not known or not callable(engine.wait_for_global_loop_exit) or not callable(get_client):
        return ""
    _held["thread"] = thread
    _replace(engine, "wait_for_global_loop_exit", _settle)
    return "the global event loop outlives a flow run"


def _settle(timeout: Any = None) -> None:
    thread = _held["thread"]
    if threading.get_ident() == thread.thread.ident:
        raise RuntimeError("Cannot wait for the loop thread from inside itself.")
    asyncio.run_coroutine_threadsafe(_finish_leftovers(thread), thread._loop).result(timeout)


async def _finish_leftovers(thread: Any) -> None:
    calls, thread._on_shutdown = thread._on_shutdown, []
    for call in calls:
        await thread._run_call(call)
    left = [task for task in asyncio.all_tasks() - _held["tasks"] if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    if left:
        await asyncio.gather(*left, return_exceptions=True)


def _threads_not_kept():
    # type: () -> str
    """Let go of the threads of finished task runs.

    Each registers its own end with `atexit`, which keeps it, its queue and its locks for the life of the process: 30 KB
    a run of four tasks. A worker ends by `os._exit`, where nothing registered is called anyway.
    """
    import prefect._internal.concurrency.threads as threads

    if not hasattr(threads.atexit, "register"):
        return ""

    class NotKept(object):
        @staticmethod
        def register(function, *args, **kwargs):
            # type: (Any, *Any, **Any) -> Any
            return function

    _replace(threads, "atexit", NotKept)
    return "threads of finished task runs are let go"


def _open_client() -> None:
    from prefect.client.orchestration import get_client

    async def enter() -> Any:
        client = get_client()
        await client.__aenter__()
        # The loop's own tasks and the API's lifespan: everything else belongs to a run.
        _held["tasks"] = asyncio.all_tasks() - {asyncio.current_task()}
        return client

    _held["tasks"] = set()
    _held["client"] = asyncio.run_coroutine_threadsafe(enter(), _held["thread"]._loop).result(60)


# The database --------------------------------------------------------------------------------------


def _database_on_loop() -> str:
    """Call sqlite3 on the loop through pooled connections, not each cursor operation on a thread.

    Safe: only engines that Prefect creates for the held loop are touched, aiosqlite itself is not.  A
    statement on a local file takes microseconds and nobody else waits for the loop.  A transaction no longer
    lets other requests in between its statements, so requests meet fewer locks than before; where a lock is
    met (another coroutine or a thread writes), the statement is tried again while the loop goes on, for as
    long as Prefect's own busy timeout. SQLAlchemy 2.0.38 and later pool file databases of this kind by
    themselves.  `synchronous` only matters when the machine loses power, and the file is thrown away with the
    worker.
    """
    if "thread" not in _held:
        return ""
    import sqlalchemy.dialects.sqlite.aiosqlite as dialect_module
    from prefect.server.database import configurations
    from sqlalchemy import event
    from sqlalchemy.pool import AsyncAdaptedQueuePool
    from sqlalchemy.util.concurrency import await_only

    create = configurations.create_async_engine
    settings = configurations.AioSqliteConfiguration
    setup = settings.setup_sqlite
    connection_class = _connection_class(dialect_module.AsyncAdapt_aiosqlite_connection, await_only)

    def create_async_engine(url: Any, **options: Any) -> Any:
        held = asyncio.get_running_loop() is _held["thread"]._loop
        if not held or "poolclass" in options or not str(url).startswith("sqlite+aiosqlite:"):
            return create(url, **options)
        # no bound on overflow: Prefect's NullPool has none either
        engine = create(url, poolclass=AsyncAdaptedQueuePool, pool_size=5, max_overflow=-1, **options)
        event.listen(engine.sync_engine, "do_connect", do_connect)
        return engine

    def do_connect(dialect: Any, record: Any, arguments: Any, options: Any) -> Any:
        options = {key: options[key] for key in options if key not in ("async_fallback", "async_creator_fn")}
        options.setdefault("cached_statements", CACHED_STATEMENTS)
        return connection_class(dialect.dbapi, sqlite3.connect(*arguments, **options))

    def setup_sqlite(self: Any, connection: Any, record: Any) -> None:
        setup(self, connection, record)
        if isinstance(connection, connection_class):
            connection._connection.execute("PRAGMA synchronous = OFF")
            # waiting inside sqlite3 would stop the very coroutine that is to release the lock
            connection._connection.execute("PRAGMA busy_timeout = 0")

    _replace(configurations, "create_async_engine", create_async_engine)
    _replace(settings, "setup_sqlite", setup_sqlite)
    return "database calls run on the event loop through kept connections"


class _Done:
    """Awaited before each operation: SQLAlchemy's asyncio layer refuses operations that never await."""

    def __await__(self) -> Any:
        return iter(())


class _Cursor:
    """A cursor as SQLAlchemy's adapter for aiosqlite has it, over sqlite3 itself: rows come at once."""

    server_side = False

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.arraysize = 1
        self.rowcount = self.lastrowid = -1
        self.description = None  # type: Any
        self._rows = deque()  # type: deque[Any]

    def execute(self, operation: str, parameters: Any = ()) -> None:
        raw = self._connection._connection
        cursor = self._connection._run(raw.execute, operation, () if parameters is None else parameters)
        self.description = cursor.description
        if cursor.description:
            self.lastrowid = self.rowcount = -1
            self._rows = deque(self._connection._run(cursor.fetchall))
        else:
            self.lastrowid, self.rowcount = cursor.lastrowid, cursor.rowcount
        cursor.close()

    def executemany(self, operation: str, seq_of_parameters: Any) -> None:
        cursor = self._connection._run(self._connection._connection.executemany, operation, seq_of_parameters)
        self.description = None
        self.lastrowid, self.rowcount = cursor.lastrowid, cursor.rowcount
        cursor.close()

    def close(self) -> None:
        self._rows.clear()

    def setinputsizes(self, *inputsizes: Any) -> None:
        """Do nothing: SQLite has no input sizes."""

    def __iter__(self) -> Any:
        while self._rows:
            yield self._rows.popleft()

    def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: Any = None) -> Any:
        wanted = self.arraysize if size is None else size
        return [self._rows.popleft() for _ in range(min(wanted, len(self._rows)))]

    def fetchall(self) -> Any:
        rows = list(self._rows)
        self._rows.clear()
        return rows


def _connection_class(base: Any, await_only: Any) -> Any:
    done = _Done()

    class Connection(base):  # type: ignore[misc]
        __slots__ = ()

        def _run(self, function: Callable[..., Any], *arguments: Any) -> Any:
            await_only(done)
            end = 0.0
            while True:
                try:
                    return function(*arguments)
                except sqlite3.OperationalError as error:
                    now = time.monotonic()
                    end = end or now + LOCK_SECONDS
                    # A stale reader can never write: Prefect's client sends that request again.
                    stale = getattr(error, "sqlite_errorname", "") == "SQLITE_BUSY_SNAPSHOT"
                    if stale or "locked" not in str(error) or now > end:
                        raise
                await_only(asyncio.sleep(LOCK_PAUSE))

        @property
        def isolation_level(self) -> Any:
            return self._connection.isolation_level

        @isolation_level.setter
        def isolation_level(self, value: Any) -> None:
            self._connection.isolation_level = value

        def create_function(self, *arguments: Any, **options: Any) -> None:
            self._connection.create_function(*arguments, **options)

        def cursor(self, server_side: bool = False) -> Any:
            return _Cursor(self)

        def execute(self, operation: str, parameters: Any = ()) -> Any:
            cursor = _Cursor(self)
            cursor.execute(operation, parameters)
            return cursor

        def commit(self) -> None:
            self._run(self._connection.commit)

        def rollback(self) -> None:
            # never waits for a lock, and the pool also rolls back outside of an awaitable call
            self._connection.rollback()

        def close(self) -> None:
            self._connection.close()

        def terminate(self) -> None:
            self._connection.close()

    return Connection


# The rest of a request's way -----------------------------------------------------------------------


def _dependencies_on_loop() -> str:
    """Call the API's own synchronous route dependencies directly instead of on a thread each.

    Safe: they build a database interface or a policy object and neither wait nor share anything with the
    thread.
    """
    import prefect._vendor.fastapi.dependencies.utils as utilities

    in_thread = utilities.run_in_threadpool

    async def run_in_threadpool(function: Any, *arguments: Any, **options: Any) -> Any:
        if str(getattr(function, "__module__", "")).startswith("prefect.server."):
            return function(*arguments, **options)
        return await in_thread(function, *arguments, **options)

    _replace(utilities, "run_in_threadpool", run_in_threadpool)
    return "dependencies of the API's routes are resolved on the event loop"


def _one_tls_context() -> str:
    """Share one TLS context per set of arguments between clients; loading certificates takes 23 ms each time.

    Safe: contexts are made to be shared, and Prefect changes each in the same way.
    """
    import ssl

    import prefect.client.orchestration as orchestration

    if orchestration.ssl is not ssl:
        return ""

    def key(arguments: Any, options: Any) -> Any:
        return arguments, tuple(sorted(options.items()))

    _replace(orchestration, "ssl", _Memo(ssl, "create_default_context", key, lambda context: context))
    return "clients share one TLS context"


def _one_logging_document() -> str:
    """Parse the text of logging.yml once; Prefect configures logging again at every root flow.

    Safe: only the parsed document is remembered, by its text, and handed out as a copy.
    """
    import prefect.logging.configuration as configuration
    import yaml

    if configuration.yaml is not yaml:
        return ""
    memo = _Memo(yaml, "safe_load", lambda arguments, options: arguments, copy.deepcopy)
    _replace(configuration, "yaml", memo)
    return "the logging configuration is parsed once"


class _Memo:
    """A module of which one function remembers its results."""

    def __init__(self, module: Any, function: str, key: Any, hand_out: Any) -> None:
        self._module = module
        results = {}  # type: dict[Any, Any]

        def remember(*arguments: Any, **options: Any) -> Any:
            known = key(arguments, options)
            if known not in results:
                results[known] = getattr(module, function)(*arguments, **options)
            return hand_out(results[known])

        setattr(self, function, remember)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)
