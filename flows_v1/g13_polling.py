"""Export job: LOOP asks for the status until the job is done; a question that fails is asked again."""

from datetime import timedelta

import prefect
from prefect import Flow, Parameter, task
from prefect.engine import signals


@task
def start_job(rows):
    return {"job": "export-{}".format(rows), "steps": max(1, min(rows, 4))}


@task(max_retries=1, retry_delay=timedelta(seconds=10))
def ask_status(job, drops):
    step = prefect.context.get("task_loop_result", 0) + 1
    if step == drops and prefect.context.task_run_count == 1:
        raise ConnectionError("no answer to question {}".format(step))
    if step < job["steps"]:
        raise signals.LOOP(result=step)
    return step


@task
def confirm(job, steps):
    return "{} done after {} questions".format(job["job"], steps)


with Flow("Export job") as flow:
    rows = Parameter("rows", default=3)
    drops = Parameter("drops", default=2)

    job = start_job(rows)
    confirm(job, ask_status(job, drops))
