"""Meter readings of a day: a DateTimeParameter, a required name, and a parameter whose name is no identifier."""

from datetime import timedelta

from prefect import Flow, Parameter, task
from prefect.core.parameter import DateTimeParameter


@task
def reading_window(start, hours):
    # Prefect 1 hands on an aware time, in UTC where the caller gave no offset.
    return {"from": start, "to": start + timedelta(hours=max(1, min(hours, 48)))}


@task
def count_readings(window, meter: str):
    minutes = int((window["to"] - window["from"]).total_seconds() // 60)
    return {"meter": meter.upper(), "readings": minutes // 15}


@task
def billing_month(window):
    return window["from"].strftime("%Y-%m")


@task
def statement(readings, month, footer):
    return dict(readings, month=month, footer=footer.strip())


with Flow("Meter readings") as flow:
    start = DateTimeParameter("start", required=False, default="2024-03-30T18:00:00+00:00")
    hours = Parameter("hours", default=24)
    meter = Parameter("meter", required=True)
    footer = Parameter("Footer of the statement", default="see overleaf")

    window = reading_window(start, hours)
    statement(count_readings(window, meter), billing_month(window), footer)
