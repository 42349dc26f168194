"""Warehouse load: wait_for where no data orders the tasks."""

from typing import List

from prefect import flow, task


@task
def create_tables(schema):
    return None


@task
def load_customers(rows):
    return max(0, min(rows, 1000))


@task
def load_orders(rows):
    return max(0, min(rows, 1000)) * 3


@task
def build_index():
    return None


@task
def refresh_views(views):
    return sorted({view.strip() for view in views[:5]})


@task
def announce(customers, orders):
    return "{} customers, {} orders".format(customers, orders)


@flow(name="Warehouse load")
def warehouse_load(schema: str = "sales", rows: int = 10, views: List[str] = ["daily", "monthly"]):
    tables = create_tables.submit(schema)
    customers = load_customers.submit(rows, wait_for=[tables])
    orders = load_orders.submit(rows, wait_for=[customers])
    index = build_index.submit(wait_for=[orders])
    refreshed = refresh_views.submit(views, wait_for=[index])
    return announce.submit(customers, orders, wait_for=[refreshed])
