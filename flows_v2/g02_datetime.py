"""Meter readings of a day: an aware datetime, a required name, and a parameter that needed a new name."""

from datetime import datetime, timedelta, timezone

from prefect import flow, task


@task
def reading_window(start, hours):
    return {"from": start, "to": start + timedelta(hours=max(1, min(hours, 48)))}


@task
def count_readings(window, meter):
    minutes = int((window["to"] - window["from"]).total_seconds() // 60)
    return {"meter": meter.upper(), "readings": minutes // 15}


@task
def billing_month(window):
    return window["from"].strftime("%Y-%m")


@task
def statement(readings, month, footer):
    return dict(readings, month=month, footer=footer.strip())


@flow(name="Meter readings")
def meter_readings(
    meter: str,
    start: datetime = datetime(2024, 3, 30, 18, tzinfo=timezone.utc),
    hours: int = 24,
    footer: str = "see overleaf",
):
    if start.tzinfo is None:  # Prefect 1's DateTimeParameter took a time without offset as UTC
        start = start.replace(tzinfo=timezone.utc)
    window = reading_window(start, hours)
    return statement(count_readings(window, meter), billing_month(window), footer)
