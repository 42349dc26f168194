"""Night backup: handlers that act on the end of a task, on failure alone, or turn a failure into success."""

from datetime import timedelta

import prefect
from prefect import Flow, Parameter, task
from prefect.engine.state import Success


def page_operator(text):
    print("PAGE: {}".format(text))


def book_storage(name):
    print("BOOKED: {}".format(name))


def on_copy_failed(task, state):
    page_operator("{} failed".format(task.name))


def when_verified(task, old_state, new_state):
    if new_state.is_successful() and not new_state.is_skipped():
        book_storage(task.name)


def missing_is_empty(task, old_state, new_state):
    if new_state.is_failed() and isinstance(new_state.result, FileNotFoundError):
        return Success("no old copies", result=[])
    return new_state


@task(max_retries=1, retry_delay=timedelta(minutes=1), on_failure=on_copy_failed)
def copy_volume(volume, broken):
    if prefect.context.get("task_run_count") <= max(0, min(broken, 2)):
        raise OSError("{} cannot be read".format(volume))
    return {"volume": volume.strip() or "root", "files": 12}


@task(state_handlers=[when_verified])
def verify(copy, expected):
    if copy["files"] < expected:
        raise ValueError("{} of {} files".format(copy["files"], expected))
    return True


@task(state_handlers=[missing_is_empty])
def list_old_copies(keep):
    if keep < 0:
        raise FileNotFoundError("/backup/old")
    return list(range(min(keep, 5)))


@task
def prune(old_copies, verified):
    return len(old_copies)


with Flow("Night backup") as flow:
    volume = Parameter("volume", default="data")
    broken = Parameter("broken", default=1)
    expected = Parameter("expected", default=10)
    keep = Parameter("keep", default=2)

    verified = verify(copy_volume(volume, broken), expected)
    prune(list_old_copies(keep), verified)
