"""Exchange rates: a key for all runs, and one made of the inputs."""

from datetime import timedelta

from prefect import flow, task
from prefect.tasks import task_input_hash


def always_the_same(context, parameters):
    return "list-currencies"  # Prefect 1 asked for the age alone


@task(cache_key_fn=always_the_same, cache_expiration=timedelta(hours=1), persist_result=True)
def list_currencies():
    return ["CHF", "EUR", "USD"]


@task(cache_key_fn=task_input_hash, cache_expiration=timedelta(days=1), persist_result=True)
def fetch_rates(currencies, bank):
    return {currency: len(bank) + number for number, currency in enumerate(currencies)}


@task
def convert(rates, cents):
    return {currency: cents * rate for currency, rate in rates.items()}


@flow(name="Exchange rates")
def exchange_rates(bank: str = "ECB", cents: int = 100):
    return convert(fetch_rates(list_currencies(), bank), cents)
