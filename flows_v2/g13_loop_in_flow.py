"""Interest: the flow calls the task once for each year."""

from prefect import flow, task


@task
def opening_balance(cents):
    return {"year": 0, "cents": max(0, cents)}


@task
def add_interest(balance):
    return {"year": balance["year"] + 1, "cents": balance["cents"] * 102 // 100}


@task
def statement(balance):
    return "after {year} years: {cents}".format(**balance)


@flow(name="Interest")
def interest(cents: int = 100_000, years: int = 3):
    balance = opening_balance(cents)
    for _ in range(max(1, min(years, 4))):
        balance = add_interest(balance)
    return statement(balance)
