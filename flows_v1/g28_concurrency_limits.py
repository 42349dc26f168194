"""Ledger export: tags say which tasks share the limited connections of the database."""

from prefect import Flow, Parameter, tags, task


@task(tags=["ledger-db"])
def read_ledger(year):
    return [year * 10 + number for number in range(3)]


@task(tags=["ledger-db", "slow"])
def read_archive(year):
    return [year]


@task
def merge_rows(ledger, archive):
    return sorted(ledger + archive)


@task
def upload(rows):
    return len(rows)


with Flow("Ledger export") as flow:
    year = Parameter("year", default=2023)

    rows = merge_rows(read_ledger(year), read_archive(year))
    with tags("object-store"):
        upload(rows)
