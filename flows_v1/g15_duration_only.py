"""Stock report: the default validator looks at the age alone, so other inputs get the cached answer as well."""

from datetime import timedelta

from prefect import Flow, Parameter, task


@task(cache_for=timedelta(minutes=10))
def count_stock(warehouse):
    return len(warehouse.strip()) * 7


@task
def order_more(stock, wanted):
    return max(0, wanted - stock)


with Flow("Stock report") as flow:
    warehouse = Parameter("warehouse", default="Basel")
    wanted = Parameter("wanted", default=50)

    order_more(count_stock(warehouse), wanted)
