"""Nightly snapshot: publishing decides the final state, the clean-up runs whatever happened."""

from typing import Optional

from prefect import flow, task


@task
def open_workspace(name):
    return {"path": "/scratch/" + (name.strip() or "snapshot"), "files": 3}


@task
def take_snapshot(workspace, rows):
    if rows < 0:
        raise ValueError(f"cannot take a snapshot of {rows} rows")
    return list(range(min(rows, 10)))


@task
def publish(snapshot):
    if not snapshot:
        raise RuntimeError("nothing to publish")
    return len(snapshot)


@task
def notify(published, channel):
    if channel is None:
        raise LookupError("no channel to notify")
    return f"{channel}: {published} rows"


@task
def remove_workspace(workspace):
    return "{} files removed".format(workspace["files"])


@flow(name="Nightly snapshot")
def nightly_snapshot(name: str = "sales", rows: int = 4, channel: Optional[str] = "#data"):
    workspace = open_workspace(name)
    try:
        snapshot = take_snapshot(workspace, rows)
        published = publish(snapshot)
        # A notification that fails is no failure of the flow: its state is not looked at.
        notify(published, channel, return_state=True)
    finally:
        removed = remove_workspace(workspace)
    return removed
