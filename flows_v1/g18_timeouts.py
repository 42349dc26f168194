"""Price service: a task that takes too long is ended after a second, and tried once more."""

import time
from datetime import timedelta

from prefect import Flow, Parameter, task


@task
def plan(slow):
    return slow


@task(timeout=1, max_retries=1, retry_delay=timedelta(seconds=5))
def ask_service(slow):
    waited = 0.0
    try:
        while slow and waited < 1.3:
            time.sleep(0.05)
            waited += 0.05
    except Exception:  # the end of time is no exception that a task can catch
        return "caught"
    return "answer"


@task(max_retries=1, retry_delay=timedelta(seconds=30))
def publish(answer):
    return answer.upper()


with Flow("Price service") as flow:
    slow = Parameter("slow", default=False)

    publish(ask_service(plan(slow)))
