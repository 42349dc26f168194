"""Ledger export: the limits of Prefect 2 go by the tags of task runs."""

from prefect import flow, tags, task


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


@flow(name="Ledger export")
def ledger_export(year: int = 2023):
    rows = merge_rows(read_ledger(year), read_archive(year))
    with tags("object-store"):
        return upload(rows)
