"""Price feed: only errors of the connection are tried again, with one pause between all attempts."""

from prefect import allow_failure, flow, get_run_logger, task
from prefect.runtime import task_run


def is_connection_error(task, task_run, state):
    error = state.result(raise_on_failure=False)
    return isinstance(error, (ConnectionError, TimeoutError))


@task(retries=3, retry_delay_seconds=120, retry_condition_fn=is_connection_error)
def fetch_prices(symbol, outages):
    if not symbol.strip():
        raise ValueError("no symbol given")  # nothing that another attempt could mend
    if task_run.run_count <= max(0, min(outages, 6)):
        get_run_logger().warning("the feed closed the connection")
        raise ConnectionResetError("feed closed, attempt {}".format(task_run.run_count))
    return [101.5, 100.25, 99.0 + len(symbol.strip())]


@task(retries=2, retry_delay_seconds=[30, 30])
def store_prices(prices, locked):
    if task_run.run_count <= max(0, min(locked, 3)):
        raise RuntimeError("table is locked")
    return len(prices)


@task
def average(prices):
    return sum(prices) / len(prices)


@task
def close_feed(prices):
    return "closed"


@flow(name="Price feed")
def price_feed(symbol: str = "ACME", outages: int = 1, locked: int = 1):
    prices = fetch_prices.submit(symbol, outages)
    stored = store_prices.submit(prices, locked)
    mean = average.submit(prices)
    close_feed.submit(allow_failure(prices))
    return stored, mean
