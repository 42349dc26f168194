"""Month report: a flow called in a flow."""

from prefect import flow, task


@task
def load_bookings(month, branch):
    if month > 12:
        raise ValueError("no month {}".format(month))
    return [month * 100 + len(branch), 50]


@task
def total(bookings):
    return sum(bookings)


@flow(name="Branch report")
def branch_report(month: int = 1, branch: str = "north"):
    return total(load_bookings(month, branch))


@task
def child_parameters(month):
    return {"month": max(1, month), "branch": "south"}


@task
def publish(amount):
    return {"cents": amount}


@task
def housekeeping(run):
    return "done"


@flow(name="Month report")
def month_report(month: int = 3):
    state = branch_report(**child_parameters(month), return_state=True)
    housekeeping(None)  # runs whatever became of the child
    return publish(state.result() if state.is_completed() else None)
