"""Daily extract: prefect.runtime, the flow run's start and enumerate take the place of the context."""

from typing import List

import pendulum
from prefect import flow, task
from prefect.runtime import flow_run, task_run


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
def title():
    return "{} of {}, attempt {}".format(task_run.task_name, flow_run.flow_name, task_run.run_count)


@task
def kept_until(days):
    return flow_run.scheduled_start_time.add(days=min(max(days, 0), 365)).isoformat()


@task
def manifest(name, window, start, parameters, pages, title, until):
    return dict(parameters, name=name, window=window, start=start, pages=pages, title=title, until=until)


@flow(name="Daily extract")
def daily_extract(region: str = "EU", days: int = 30, pages: List[str] = ["orders", "refunds"]):
    numbered = [number_pages(index, page) for index, page in enumerate(pages)]
    return manifest(file_name(region), extract_window(), started(), given(), numbered, title(), kept_until(days))
