"""Import of claims: hooks with a notification block."""

from prefect import flow, task
from prefect.blocks.notifications import SlackWebhook


# Prefect 2 calls hooks by keyword: a task's and a flow's cannot be one function.
def tell_of_task(task, task_run, state):
    SlackWebhook.load("claims").notify("{} is {}".format(task.name, state.name))


def tell_of_flow(flow, flow_run, state):
    SlackWebhook.load("claims").notify("{} is {}".format(flow.name, state.name))


@task(on_failure=[tell_of_task])
def read_claims(count):
    if count < 0:
        raise ValueError("cannot read {} claims".format(count))
    return list(range(min(count, 6)))


@task
def check_claims(claims, strict):
    if strict and not claims:
        raise ValueError("no claims today")
    return [claim for claim in claims if claim % 3]


@task
def store_claims(claims):
    return len(claims)


@flow(name="Import of claims", on_completion=[tell_of_flow], on_failure=[tell_of_flow])
def import_of_claims(count: int = 5, strict: bool = True):
    return store_claims(check_claims(read_claims(count), strict))
