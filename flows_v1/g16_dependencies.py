"""Warehouse load: tasks that hand nothing on and still have an order, declared in every way Prefect 1 has."""

from prefect import Flow, Parameter, task


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


with Flow("Warehouse load") as flow:
    schema = Parameter("schema", default="sales")
    rows = Parameter("rows", default=10)
    views = Parameter("views", default=["daily", "monthly"])

    tables = create_tables(schema)
    customers = load_customers(rows, upstream_tasks=[tables])
    orders = load_orders(rows)
    orders.set_upstream(customers)
    index = build_index()
    flow.add_edge(orders, index)
    refreshed = refresh_views(views)
    flow.set_dependencies(refreshed, upstream_tasks=[index])
    announced = announce(customers, orders)
    announced.set_upstream(refreshed)
