"""Warehouse copy: the copy gives up after its retries, what depends on it does not run, the rest does."""

from prefect import flow, task
from prefect.context import get_run_context


@task
def open_table(table):
    return table.strip().lower() or "orders"


@task(retries=2, retry_delay_seconds=600)
def copy_table(table, failures):
    attempt = get_run_context().task_run.run_count
    if attempt <= failures:
        raise RuntimeError(f"copy was interrupted, attempt {attempt}")
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


@flow(name="Warehouse copy")
def warehouse_copy(table: str = "Orders", failures: int = 3):
    opened = open_table(table)
    # Submitted, not called: a copy that gave up must not keep write_usage from running.
    copied = copy_table.submit(opened, failures)
    verified = verify_copy.submit(copied)
    report = publish_report.submit(verified)
    usage = write_usage.submit(opened)
    # Futures in a plain tuple: the flow fails when one of them did.
    return report, usage
