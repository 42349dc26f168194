"""Orders: a chain of five tasks that extracts, cleans, converts, totals and loads."""

from datetime import datetime, timedelta

from prefect import flow, task


@task
def extract_orders(count, region):
    opened = datetime(2024, 1, 29, 8, 0)
    return [
        {
            "id": number,
            "region": region.strip().upper() or "EU",
            "amount": (number * 37) % 101 - 36,
            "ordered": opened + timedelta(hours=7 * number),
        }
        for number in range(max(0, min(count, 20)))
    ]


@task
def clean_orders(orders, minimum):
    return [order for order in orders if order["amount"] >= minimum]


@task
def convert_amounts(orders, rate):
    if not rate > 0:  # catches NaN as well
        raise ValueError(f"exchange rate must be positive: {rate}")
    return [{**order, "amount": order["amount"] * rate} for order in orders]


@task
def total_by_day(orders):
    totals = {}
    for order in orders:
        day = order["ordered"].date()
        totals[day] = totals.get(day, 0.0) + order["amount"]
    return list(totals.items())


@task
def load_totals(totals):
    total = 0.0
    for _, amount in totals:
        total += amount  # not sum(): from Python 3.12 on it rounds floats differently
    return {"rows": len(totals), "total": total}


@flow(name="Orders ETL")
def orders_etl(count: int = 12, region: str = "eu", minimum: int = 0, rate: float = 1.1):
    # A plain chain: the first failure leaves the flow, as nothing else could run after it.
    orders = extract_orders(count, region)
    kept = clean_orders(orders, minimum)
    converted = convert_amounts(kept, rate)
    totals = total_by_day(converted)
    return load_totals(totals)
