"""Nightly snapshot: publishing decides the final state, the clean-up runs whatever happened."""

from prefect import Flow, Parameter, task
from prefect.triggers import all_finished


@task
def open_workspace(name):
    return {"path": "/scratch/" + (name.strip() or "snapshot"), "files": 3}


@task
def take_snapshot(workspace, rows):
    if rows < 0:
        raise ValueError("cannot take a snapshot of {} rows".format(rows))
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
    return "{}: {} rows".format(channel, published)


@task(trigger=all_finished)
def remove_workspace(workspace):
    return "{} files removed".format(workspace["files"])


with Flow("Nightly snapshot") as flow:
    name = Parameter("name", default="sales")
    rows = Parameter("rows", default=4)
    channel = Parameter("channel", default="#data")

    workspace = open_workspace(name)
    snapshot = take_snapshot(workspace, rows)
    published = publish(snapshot)
    notified = notify(published, channel)
    removed = remove_workspace(workspace, upstream_tasks=[published, notified])

# Without this the clean-up, the only terminal task, would make every run a success.
flow.set_reference_tasks([published])
