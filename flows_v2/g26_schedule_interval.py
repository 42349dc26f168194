"""Sensor poll every six hours: without an anchor the hours would be counted from the moment of deployment."""

from datetime import timedelta
from typing import List

import pendulum
from prefect import flow, task
from prefect.client.schemas.schedules import IntervalSchedule


@task
def poll(sensors):
    return [len(sensor) for sensor in sensors[:5]]


@task
def store(readings):
    return sum(readings)


@flow(name="Sensor poll")
def sensor_poll(sensors: List[str] = ["roof", "cellar"]):
    return store(poll(sensors))


every_six_hours = sensor_poll.to_deployment(
    "every six hours",
    schedule=IntervalSchedule(
        interval=timedelta(hours=6),
        # In a zone with daylight saving the two engines count hours otherwise: Prefect 1 by the clock on the wall.
        anchor_date=pendulum.datetime(2023, 1, 1, tz="UTC"),
    ),
)
