"""Sensor readings: a bad reading fails its own child only; one reduce tolerates that, one does not."""

from datetime import timedelta

from prefect import Flow, Parameter, task, unmapped
from prefect.triggers import all_finished


@task
def collect(readings):
    return readings[:5]


@task(max_retries=1, retry_delay=timedelta(minutes=2))
def calibrate(reading, offsets):
    if reading < 0:
        raise ValueError("negative reading: {}".format(reading))
    return reading + sum(offsets)


@task
def to_celsius(value):
    return round((value - 32) / 1.8, 1)


@task(trigger=all_finished)
def quality_report(values):
    # A failed child arrives as its exception.
    good = [value for value in values if not isinstance(value, BaseException)]
    return {"readings": len(values), "good": len(good), "peak": max(good) if good else None}


@task
def daily_series(values):
    return list(values)


with Flow("Sensor readings") as flow:
    readings = Parameter("readings", default=[212, 32, -1, 50])
    offsets = Parameter("offsets", default=[1, -3])

    collected = collect(readings)
    calibrated = calibrate.map(collected, unmapped(offsets))
    celsius = to_celsius.map(calibrated)
    quality_report(calibrated)
    daily_series(celsius)
