"""Warehouse query: Secret blocks, which hold text: JSON has to be read."""

import json

from prefect import flow, task
from prefect.blocks.system import Secret


@task
def sign(query, password):
    return "{:08d}".format(sum(ord(letter) * (place + 1) for place, letter in enumerate(query + password)) % 10**8)


@task
def connection():
    details = json.loads(Secret.load("warehouse").get())
    return "{user}@{database}".format(**details)


@task
def run_query(target, query, signature):
    return {"target": target, "rows": len(query) % 7, "signature": signature}


@flow(name="Warehouse query")
def warehouse_query(query: str = "select 1"):
    password = Secret.load("warehouse-password").get()
    return run_query(connection(), query, sign(query, password))
