"""Interest: LOOP compounds year by year."""

import prefect
from prefect import Flow, Parameter, task
from prefect.engine import signals


@task
def opening_balance(cents):
    return {"year": 0, "cents": max(0, cents)}


@task
def add_interest(balance, years):
    balance = prefect.context.get("task_loop_result", balance)
    balance = {"year": balance["year"] + 1, "cents": balance["cents"] * 102 // 100}
    if balance["year"] < max(1, min(years, 4)):
        raise signals.LOOP(result=balance)
    return balance


@task
def statement(balance):
    return "after {year} years: {cents}".format(**balance)


with Flow("Interest") as flow:
    cents = Parameter("cents", default=100_000)
    years = Parameter("years", default=3)

    statement(add_interest(opening_balance(cents), years))
