"""Meter billing on working days at six, by the clock of New York."""

import pendulum
from prefect import Flow, Parameter, task
from prefect.schedules import Schedule, filters
from prefect.schedules.clocks import CronClock


@task
def read_meters(region):
    return {"region": region.strip() or "all", "meters": 12}


@task
def bill(readings, rate):
    return readings["meters"] * rate


with Flow(
    "Meter billing",
    schedule=Schedule(
        clocks=[
            CronClock(
                "0 6 * * *",
                start_date=pendulum.datetime(2020, 1, 1, tz="America/New_York"),
                parameter_defaults={"region": "east"},
            )
        ],
        filters=[filters.is_weekday],
    ),
) as flow:
    region = Parameter("region", default="all")
    rate = Parameter("rate", default=30)

    bill(read_meters(region), rate)
