"""Price feed: only errors of the connection are tried again, with one pause between all attempts."""

from datetime import timedelta

import prefect
from prefect import Flow, Parameter, task
from prefect.triggers import all_finished


@task(max_retries=3, retry_delay=timedelta(minutes=2), retry_on=(ConnectionError, TimeoutError))
def fetch_prices(symbol, outages):
    attempt = prefect.context.get("task_run_count")
    if not symbol.strip():
        raise ValueError("no symbol given")  # nothing that another attempt could mend
    if attempt <= max(0, min(outages, 6)):
        raise ConnectionResetError("feed closed, attempt {}".format(attempt))
    return [101.5, 100.25, 99.0 + len(symbol.strip())]


@task(max_retries=2, retry_delay=timedelta(seconds=30))
def store_prices(prices, locked):
    attempt = prefect.context.get("task_run_count")
    if attempt <= max(0, min(locked, 3)):
        raise RuntimeError("table is locked")
    return len(prices)


@task
def average(prices):
    return sum(prices) / len(prices)


@task(trigger=all_finished)
def close_feed(prices):
    return "closed"


with Flow("Price feed") as flow:
    symbol = Parameter("symbol", default="ACME")
    outages = Parameter("outages", default=1)
    locked = Parameter("locked", default=1)

    prices = fetch_prices(symbol, outages)
    stored = store_prices(prices, locked)
    mean = average(prices)
    close_feed(prices)
    flow.set_reference_tasks([stored, mean])
