"""Morning run: StartFlowRun waits for the child, and takes over how it ended."""

from prefect import Flow, Parameter, task
from prefect.tasks.prefect import StartFlowRun


@task
def count_orders(day):
    if day < 0:
        raise ValueError("no day {}".format(day))
    return day * 2


with Flow("Orders of the day") as orders_of_the_day:
    count_orders(Parameter("day", default=0))


@task
def parameters_of(day):
    return {"day": day}


@task
def open_shop():
    return "open"


start = StartFlowRun(flow_name="Orders of the day", wait=True)

with Flow("Morning run") as flow:
    day = Parameter("day", default=4)

    started = start(parameters=parameters_of(day))
    open_shop(upstream_tasks=[started])
