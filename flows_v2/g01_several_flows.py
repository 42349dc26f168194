"""Two flows of one file share their tasks; their names are made of a prefix."""

from prefect import flow, task

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


@flow(name=f"{TEAM}: letters")
def letters(name: str = "April"):
    return label(count(read_file(name), 1), "letters")


@flow(name=f"{TEAM}: points")
def points(name: str = "April", factor: int = 3):
    return label(count(read_file(name), factor), "points")
