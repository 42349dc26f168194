"""Export job: the flow asks until the job is done; each question is a task run with retries of its own."""

from prefect import flow, task
from prefect.context import get_run_context


@task
def start_job(rows):
    return {"job": "export-{}".format(rows), "steps": max(1, min(rows, 4))}


@task(retries=1, retry_delay_seconds=10)
def ask_status(step, drops):
    if step == drops and get_run_context().task_run.run_count == 1:
        raise ConnectionError("no answer to question {}".format(step))
    return step


@task
def confirm(job, steps):
    return "{} done after {} questions".format(job["job"], steps)


@flow(name="Export job")
def export_job(rows: int = 3, drops: int = 2):
    job = start_job(rows)
    step = 0
    while step < job["steps"]:
        step = ask_status(step + 1, drops)
    return confirm(job, step)
