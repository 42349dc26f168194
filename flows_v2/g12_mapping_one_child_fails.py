"""Sensor readings: a bad reading fails its own child only; one reduce tolerates that, one does not."""

from typing import List

from prefect import allow_failure, flow, task, unmapped


@task
def collect(readings):
    return readings[:5]


@task(retries=1, retry_delay_seconds=120)
def calibrate(reading, offsets):
    if reading < 0:
        raise ValueError(f"negative reading: {reading}")
    return reading + sum(offsets)


@task
def to_celsius(value):
    return round((value - 32) / 1.8, 1)


@task
def quality_report(values):
    # A failed child arrives as its exception.
    good = [value for value in values if not isinstance(value, BaseException)]
    return {"readings": len(values), "good": len(good), "peak": max(good) if good else None}


@task
def daily_series(values):
    return list(values)


@flow(name="Sensor readings")
def sensor_readings(readings: List[int] = [212, 32, -1, 50], offsets: List[int] = [1, -3]):
    collected = collect(readings)
    calibrated = calibrate.map(collected, unmapped(offsets))
    celsius = to_celsius.map(calibrated)
    # The trigger all_finished of Prefect 1.
    report = quality_report.submit(allow_failure(calibrated))
    series = daily_series.submit(celsius)
    return report, series
