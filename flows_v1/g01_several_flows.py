"""Two flows of one file share their tasks; their names are made of a prefix."""

from prefect import Flow, Parameter, task

TEAM = "claims"


@task
def read_file(name):
    return name.strip() or "empty"


@task
def count(text, factor):
    return len(text) * factor


@task
def label(number, unit):
    return "{} {}".format(number, unit)


with Flow(f"{TEAM}: letters") as letters:
    name = Parameter("name", default="April")
    label(count(read_file(name), 1), "letters")

with Flow(f"{TEAM}: points") as points:
    name = Parameter("name", default="April")
    factor = Parameter("factor", default=3)
    label(count(read_file(name), factor), "points")
