"""Exchange rates: one task is kept for an hour, one for a day as long as its inputs stay the same."""

from datetime import timedelta

from prefect import Flow, Parameter, task
from prefect.engine.cache_validators import all_inputs


@task(cache_for=timedelta(hours=1))
def list_currencies():
    return ["CHF", "EUR", "USD"]


@task(cache_for=timedelta(days=1), cache_validator=all_inputs)
def fetch_rates(currencies, bank):
    return {currency: len(bank) + number for number, currency in enumerate(currencies)}


@task
def convert(rates, cents):
    return {currency: cents * rate for currency, rate in rates.items()}


with Flow("Exchange rates") as flow:
    bank = Parameter("bank", default="ECB")
    cents = Parameter("cents", default=100)

    convert(fetch_rates(list_currencies(), bank), cents)
