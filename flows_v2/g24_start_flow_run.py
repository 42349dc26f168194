"""Morning run: a called flow raises what made it fail."""

from prefect import flow, task


@task
def count_orders(day):
    if day < 0:
        raise ValueError("no day {}".format(day))
    return day * 2


@flow(name="Orders of the day")
def orders_of_the_day(day: int = 0):
    return count_orders(day)


@task
def parameters_of(day):
    return {"day": day}


@task
def open_shop():
    return "open"


@flow(name="Morning run")
def morning_run(day: int = 4):
    orders_of_the_day(**parameters_of(day))
    return open_shop()
