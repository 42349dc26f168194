"""Sensor check: ifelse branches on truthiness, case compares; tasks built from operators."""

from prefect import Flow, Parameter, case, task
from prefect.tasks.control_flow import ifelse, merge


@task
def read_sensor(raw):
    return raw.strip()


@task
def parse(raw):
    return len(raw)


@task
def use_default():
    return 7


@task
def mark_high(value):
    return "high {}".format(value)


@task
def mark_low(value):
    return "low {}".format(value)


with Flow("Sensor check") as flow:
    raw = Parameter("raw", default="12.5 mm")
    limit = Parameter("limit", default=5)

    reading = read_sensor(raw)
    parsed, default = parse(reading), use_default()
    ifelse(reading, parsed, default)
    value = merge(parsed, default)

    high = value > limit
    with case(high, True):
        marked_high = mark_high(value)
    with case(high, False):
        marked_low = mark_low(value)
    merge(marked_high, marked_low)
