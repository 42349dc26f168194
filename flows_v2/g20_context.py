"""Daily extract: prefect.runtime, the flow run's start and enumerate take the place of the context."""

from typing import List

import pendulum
from prefect import flow, task
from prefect.runtime import flow_run


@task
def file_name(region):
    return "{}-{}.csv".format(region.strip().lower() or "all", pendulum.now("UTC").format("YYYYMMDD"))


@task
def extract_window():
    today = pendulum.now("UTC")
    return {"from": today.subtract(days=1).to_date_string(), "until": today.to_date_string()}


@task
def started():
    return flow_run.scheduled_start_time.strftime("%Y-%m-%dT%H:%M:%S")


@task
def given():
    return dict(flow_run.parameters)


@task
def number_pages(index, page):
    return "{}: {}".format(index, page)


@task
def manifest(name, window, start, parameters, pages):
    return {"name": name, "window": window, "start": start, "parameters": parameters, "pages": pages}


@flow(name="Daily extract")
def daily_extract(region: str = "EU", pages: List[str] = ["orders", "refunds"]):
    numbered = [number_pages(index, page) for index, page in enumerate(pages)]
    return manifest(file_name(region), extract_window(), started(), given(), numbered)
