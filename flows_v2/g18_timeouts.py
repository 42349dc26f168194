"""Price service: timeout_seconds. Prefect 2 ends a thread between two steps, so the loop waits in short ones."""

import time

from prefect import flow, task


@task
def plan(slow):
    return slow


@task(timeout_seconds=1, retries=1, retry_delay_seconds=5)
def ask_service(slow):
    waited = 0.0
    try:
        while slow and waited < 1.3:
            time.sleep(0.05)
            waited += 0.05
    except Exception:  # the end of time is no exception that a task can catch
        return "caught"
    return "answer"


@task(retries=1, retry_delay_seconds=30)
def publish(answer):
    return answer.upper()


@flow(name="Price service")
def price_service(slow: bool = False):
    return publish(ask_service(plan(slow)))
