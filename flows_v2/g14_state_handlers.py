"""Night backup: hooks for what a handler did at the end of a task, plain code for what it changed."""

from prefect import flow, task
from prefect.runtime import task_run


def page_operator(text):
    print("PAGE: {}".format(text))


def book_storage(name):
    print("BOOKED: {}".format(name))


def on_copy_failed(task, task_run, state):
    # Once, when all attempts are used up; Prefect 1 called it after each failed attempt.
    page_operator("{} failed".format(task.name))


def when_verified(task, task_run, state):
    book_storage(task.name)


@task(retries=1, retry_delay_seconds=60, on_failure=[on_copy_failed])
def copy_volume(volume, broken):
    if task_run.run_count <= max(0, min(broken, 2)):
        raise OSError("{} cannot be read".format(volume))
    return {"volume": volume.strip() or "root", "files": 12}


@task(on_completion=[when_verified])
def verify(copy, expected):
    if copy["files"] < expected:
        raise ValueError("{} of {} files".format(copy["files"], expected))
    return True


@task
def list_old_copies(keep):
    if keep < 0:
        return []  # a hook cannot turn a failure into success
    return list(range(min(keep, 5)))


@task
def prune(old_copies, verified):
    return len(old_copies)


@flow(name="Night backup")
def night_backup(volume: str = "data", broken: int = 1, expected: int = 10, keep: int = 2):
    old_copies = list_old_copies.submit(keep)
    verified = verify.submit(copy_volume.submit(volume, broken), expected)
    return prune.submit(old_copies, verified)
