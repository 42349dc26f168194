"""Price list: apply_map runs a small flow for each element, with a branch in it."""

from prefect import Flow, Parameter, apply_map, case, task
from prefect.tasks.control_flow import merge


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
    bulk = is_bulk(cents)
    with case(bulk, True):
        reduced = bulk_price(cents)
    with case(bulk, False):
        normal = shop_price(cents)
    return label(merge(reduced, normal))


@task
def print_list(labels):
    return " | ".join(labels)


with Flow("Price list") as flow:
    cents = Parameter("cents", default=[12_500, 990, 40])

    print_list(apply_map(price_of, list_prices(cents)))
