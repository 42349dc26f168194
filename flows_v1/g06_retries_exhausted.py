"""Warehouse copy: the copy gives up after its retries, what depends on it does not run, the rest does."""

from datetime import timedelta

import prefect
from prefect import Flow, Parameter, task


@task
def open_table(table):
    return table.strip().lower() or "orders"


@task(max_retries=2, retry_delay=timedelta(minutes=10))
def copy_table(table, failures):
    attempt = prefect.context.get("task_run_count")
    if attempt <= failures:
        raise RuntimeError("copy was interrupted, attempt {}".format(attempt))
    return {"table": table, "rows": 1200 + attempt}


@task
def verify_copy(copy):
    return copy["rows"] > 0


@task
def publish_report(verified):
    return "published" if verified else "held back"


@task
def write_usage(table):
    return {"table": table, "bytes": 64 * len(table)}


with Flow("Warehouse copy") as flow:
    table = Parameter("table", default="Orders")
    failures = Parameter("failures", default=3)

    opened = open_table(table)
    copied = copy_table(opened, failures)
    verified = verify_copy(copied)
    publish_report(verified)
    write_usage(opened)
