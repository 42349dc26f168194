"""Supplier feed: the server is down for the first attempts, the tasks retry and recover."""

from datetime import timedelta

import prefect
from prefect import Flow, Parameter, task


@task(max_retries=3, retry_delay=timedelta(minutes=5))
def download_feed(lines, outages):
    # The outage never outlasts the three retries.
    attempt = prefect.context.get("task_run_count")
    if attempt <= max(0, min(outages, 3)):
        raise ConnectionError("supplier did not answer, attempt {}".format(attempt))
    return lines[:20]


@task
def parse_feed(lines):
    return [tuple(part.strip() for part in line.split(",")) for line in lines if line.strip()]


@task(max_retries=1, retry_delay=timedelta(hours=1))
def store_rows(rows):
    # The table is locked when the first batch of the day arrives; an empty batch needs no lock.
    if rows and prefect.context.get("task_run_count") == 1:
        raise TimeoutError("table is locked")
    return len(rows)


with Flow("Supplier feed") as flow:
    lines = Parameter("lines", default=["4711, bolt", "", "4712, nut"])
    outages = Parameter("outages", default=2)

    store_rows(parse_feed(download_feed(lines, outages)))
