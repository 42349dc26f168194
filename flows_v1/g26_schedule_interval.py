"""Sensor poll every six hours, counted from midnight in UTC."""

from datetime import timedelta

import pendulum
from prefect import Flow, Parameter, task
from prefect.schedules import IntervalSchedule


@task
def poll(sensors):
    return [len(sensor) for sensor in sensors[:5]]


@task
def store(readings):
    return sum(readings)


schedule = IntervalSchedule(start_date=pendulum.datetime(2023, 1, 1, tz="UTC"), interval=timedelta(hours=6))

with Flow("Sensor poll", schedule=schedule) as flow:
    sensors = Parameter("sensors", default=["roof", "cellar"])

    store(poll(sensors))
