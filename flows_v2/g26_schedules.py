"""Meter billing on working days at six, by the clock of New York."""

from prefect import flow, task
from prefect.client.schemas.schedules import CronSchedule


@task
def read_meters(region):
    return {"region": region.strip() or "all", "meters": 12}


@task
def bill(readings, rate):
    return readings["meters"] * rate


@flow(name="Meter billing")
def meter_billing(region: str = "all", rate: int = 30):
    return bill(read_meters(region), rate)


# The filter of the Prefect 1 schedule is the fifth field here.
working_days = meter_billing.to_deployment(
    "working days",
    schedule=CronSchedule(cron="0 6 * * 1-5", timezone="America/New_York"),
    parameters={"region": "east"},
)
