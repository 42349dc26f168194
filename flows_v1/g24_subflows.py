"""Month report: a flow of flows, by create_flow_run, wait_for_flow_run and get_task_run_result."""

from prefect import Flow, Parameter, task
from prefect.tasks.prefect import create_flow_run, get_task_run_result, wait_for_flow_run


@task
def load_bookings(month, branch):
    if month > 12:
        raise ValueError("no month {}".format(month))
    return [month * 100 + len(branch), 50]


@task
def total(bookings):
    return sum(bookings)


with Flow("Branch report") as branch_report:
    month = Parameter("month", default=1)
    branch = Parameter("branch", default="north")

    total(load_bookings(month, branch))


@task
def child_parameters(month):
    return {"month": max(1, month), "branch": "south"}


@task
def publish(amount):
    return {"cents": amount}


@task
def housekeeping(run):
    return "done"


with Flow("Month report") as flow:
    month = Parameter("month", default=3)

    run = create_flow_run(flow_name="Branch report", parameters=child_parameters(month), run_name="south")
    finished = wait_for_flow_run(run)  # Success also when the child failed
    amount = get_task_run_result(run, "total-1", upstream_tasks=[finished])  # None of a child that failed
    publish(amount, upstream_tasks=[housekeeping(finished)])
