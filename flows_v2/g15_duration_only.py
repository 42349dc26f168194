"""Stock report: one key for all inputs keeps what Prefect 1 did."""

from datetime import timedelta

from prefect import flow, task


@task(
    cache_key_fn=lambda context, parameters: "count-stock",
    cache_expiration=timedelta(minutes=10),
    persist_result=True,
)
def count_stock(warehouse):
    return len(warehouse.strip()) * 7


@task
def order_more(stock, wanted):
    return max(0, wanted - stock)


@flow(name="Stock report")
def stock_report(warehouse: str = "Basel", wanted: int = 50):
    return order_more(count_stock(warehouse), wanted)
