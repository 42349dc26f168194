"""Supplier feed: the server is down for the first attempts, the tasks retry and recover."""

from typing import List

from prefect import flow, task
from prefect.context import get_run_context


@task(retries=3, retry_delay_seconds=5 * 60)
def download_feed(lines, outages):
    # The outage never outlasts the three retries.
    attempt = get_run_context().task_run.run_count
    if attempt <= max(0, min(outages, 3)):
        raise ConnectionError(f"supplier did not answer, attempt {attempt}")
    return lines[:20]


@task
def parse_feed(lines):
    return [tuple(part.strip() for part in line.split(",")) for line in lines if line.strip()]


@task(retries=1, retry_delay_seconds=60 * 60)
def store_rows(rows):
    # The table is locked when the first batch of the day arrives; an empty batch needs no lock.
    if rows and get_run_context().task_run.run_count == 1:
        raise TimeoutError("table is locked")
    return len(rows)


@flow(name="Supplier feed")
def supplier_feed(lines: List[str] = ["4711, bolt", "", "4712, nut"], outages: int = 2):
    feed = download_feed(lines, outages)
    rows = parse_feed(feed)
    return store_rows(rows)
