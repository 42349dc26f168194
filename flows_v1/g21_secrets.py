"""Warehouse query: a password, and a connection that is kept as JSON."""

from prefect import Flow, Parameter, task
from prefect.client import Secret
from prefect.tasks.secrets import PrefectSecret


@task
def sign(query, password):
    return "{:08d}".format(sum(ord(letter) * (place + 1) for place, letter in enumerate(query + password)) % 10**8)


@task
def connection():
    details = Secret("WAREHOUSE").get()  # JSON comes as a dict
    return "{user}@{database}".format(**details)


@task
def run_query(target, query, signature):
    return {"target": target, "rows": len(query) % 7, "signature": signature}


with Flow("Warehouse query") as flow:
    query = Parameter("query", default="select 1")

    password = PrefectSecret("WAREHOUSE_PASSWORD")
    run_query(connection(), query, sign(query, password))
