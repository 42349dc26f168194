"""A Prefect 2 home, migrated and with its block types; made once, copied for each worker."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from equivalence.environments.build import folder_of
from equivalence.environments.cache import LAYOUT, Progress, cache_root, digest, locked, stamp
from equivalence.environments.process import Cancel, clean_variables, run
from equivalence.environments.records import Environment, SideRequest
from equivalence.errors import UsageProblem
from equivalence.inside.prefect2_releases import OLD_SETTINGS

_LIMIT_SECONDS = 300.0

# Opening Prefect's in-process API is what migrates and registers in every release of Prefect 2. Block types
# are registered because workers have that off: a store of results registers its own on first use, which would
# cost every worker's first run 0.3 s.
_MIGRATE = """
import asyncio, os, sqlite3, warnings
warnings.simplefilter("ignore")
try:
    from prefect.client.orchestration import get_client
except ImportError:
    from prefect.client import get_client  # before 2.8

async def main():
    async with get_client() as client:
        problem = await client.api_healthcheck()
        if problem is not None:
            raise problem

asyncio.run(main())
database = os.path.join(os.environ["PREFECT_HOME"], "prefect.db")
connection = sqlite3.connect(database)
connection.execute("select count(*) from flow_run").fetchall()
connection.execute("select version_num from alembic_version").fetchall()
busy = connection.execute("pragma wal_checkpoint(TRUNCATE)").fetchone()[0]
connection.close()
if busy:
    raise SystemExit("the database is still written to")
"""


def ensure_home(side: SideRequest, environment: Environment, progress: Progress, cancel: Cancel | None = None) -> Path:
    """The migrated home that belongs to an environment with Prefect 2; made now if it is not there."""
    cancel = cancel or Cancel()
    if environment.root is not None:
        home = folder_of(environment) / "home"
    else:
        # By what decides the database: another release of Prefect or of what migrates it, another home.
        deciding = [f"{name}=={environment.packages.get(name)}" for name in ("prefect", "alembic", "sqlalchemy")]
        key = digest(LAYOUT, str(environment.python), str(stamp(environment.python)), *deciding)
        home = cache_root() / "homes" / key[:12]
    if _is_ready(home):
        return home
    with locked(home, f"{side.name} (Prefect home)", progress, cancel):
        if not _is_ready(home):
            _make(side, environment, home, progress, cancel)
    return home


def _is_ready(home: Path) -> bool:
    return (home / "prefect.db").is_file()


def _make(side: SideRequest, environment: Environment, home: Path, progress: Progress, cancel: Cancel) -> None:
    """Migrate in a folder beside and rename it, so that a home is there whole or not at all."""
    started = time.monotonic()
    for leftover in home.parent.glob(f"{home.name}.making-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)
    draft = home.with_name(f"{home.name}.making-{os.urandom(4).hex()}")
    draft.mkdir(parents=True)
    progress(f"{side.name}: preparing a home for Prefect {environment.prefect_version} …")
    variables = clean_variables(
        {
            "PREFECT_HOME": str(draft),
            "PREFECT_PROFILES_PATH": str(draft / "profiles.toml"),
            "PREFECT_API_DATABASE_MIGRATE_ON_START": "true",
            "PREFECT_API_BLOCKS_REGISTER_ON_START": "true",
            # Reading the machine's certificates takes a second, and nothing is connected to.
            "PREFECT_API_TLS_INSECURE_SKIP_VERIFY": "true",
            "PREFECT_LOGGING_LEVEL": "CRITICAL",
            "PREFECT_LOGGING_TO_API_ENABLED": "false",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{draft.as_posix()}/prefect.db",
            "DO_NOT_TRACK": "1",
        },
        drop_prefixes=("PREFECT_",),
    )
    # Releases before 2.8 know the old names only, and name the database otherwise when not told.
    variables.update({old: variables[name] for name, old in OLD_SETTINGS.items()})

    def alive(seconds: float, line: str) -> None:
        progress(f"{side.name}: still preparing the home ({seconds:.0f} s) …")

    try:
        finished = run(
            [str(environment.python), "-c", _MIGRATE],
            variables=variables,
            folder=draft,
            cancel=cancel,
            alive=alive,
            limit=_LIMIT_SECONDS,
        )
        if finished.status != 0 or not _is_ready(draft):
            raise UsageProblem(
                f"{side.name}: Prefect {environment.prefect_version} could not prepare its database. "
                + "It said:\n"
                + "\n".join("  " + line for line in finished.last_lines().splitlines())
                + "\nTo try it by hand:\n"
                + f"  PREFECT_HOME=$(mktemp -d) {environment.python} -m prefect server database upgrade -y\n"
                + f"What to do: pin versions that work together in requirements under {side.table}; "
                + "without that key a set that is known to work is used."
            )
        os.replace(draft, home)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    progress(f"{side.name}: home ready in {time.monotonic() - started:.1f} s")
