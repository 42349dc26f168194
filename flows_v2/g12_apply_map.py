"""Price list: a function of the flow calls the tasks of one element, a loop calls it for each."""

from typing import List

from prefect import flow, task


@task
def list_prices(cents):
    return cents[:4]


@task
def is_bulk(cents):
    return cents >= 10_000


@task
def bulk_price(cents):
    return cents * 9 // 10


@task
def shop_price(cents):
    return max(cents, 100)


@task
def label(cents):
    return "{}.{:02d}".format(cents // 100, cents % 100)


def price_of(cents):
    return label(bulk_price(cents) if is_bulk(cents) else shop_price(cents))


@task
def print_list(labels):
    return " | ".join(labels)


@flow(name="Price list")
def price_list(cents: List[int] = [12_500, 990, 40]):
    return print_list([price_of(one) for one in list_prices(cents)])
