"""Address check: prefect.yaml at the root holds its deployment."""

from typing import List

from prefect import flow, task


@task
def normalise(addresses):
    return [" ".join(address.split()).title() for address in addresses[:5]]


@task
def count_unknown(addresses):
    return sum(not any(character.isdigit() for character in address) for address in addresses)


@flow(name="Address check")
def address_check(addresses: List[str] = ["12 main  street", "unknown"]):
    return count_unknown(normalise(addresses))
