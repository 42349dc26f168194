"""Shift report: money as Decimal, times with their zone, fixed records as tuples."""

from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import List

from prefect import flow, task


@task
def shift_times(day, offset_hours):
    zone = timezone(timedelta(hours=max(-12, min(offset_hours, 14))))
    begins = datetime(2024, 3, 31, 6, 0, tzinfo=zone) + timedelta(days=max(0, min(day, 30)))
    return begins, begins + timedelta(hours=8)


@task
def sum_sales(cents):
    return sum((Decimal(amount) for amount in cents[:20]), Decimal("0")) / 100


@task
def commission(sales, percent):
    share = Decimal(max(0, min(percent, 100))) / 100
    return (sales * share).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


@task
def hours_worked(times, break_minutes):
    begins, ends = times
    worked = (ends - begins) - timedelta(minutes=max(0, min(break_minutes, 120)))
    return worked


@task
def write_report(times, sales, bonus, worked, closed):
    return {
        "begins": times[0],
        "ends": times[1],
        "money": (sales, bonus),
        "overtime": worked > timedelta(hours=7, minutes=30),
        "worked": worked,
        "closed": closed,
    }


@flow(name="Shift report")
def shift_report(
    day: int = 0,
    offset_hours: int = 2,
    cents: List[int] = [1999, 250, 5],
    percent: int = 5,
    break_minutes: int = 30,
    closed: bool = True,
):
    times = shift_times(day, offset_hours)
    sales = sum_sales(cents)
    bonus = commission(sales, percent)
    worked = hours_worked(times, break_minutes)
    return write_report(times, sales, bonus, worked, closed)
