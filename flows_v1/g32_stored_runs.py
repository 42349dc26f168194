"""Audit: what is stored of a run must be findable: tasks by name, with their states."""

from prefect import Flow, Parameter, task


@task
def open_ledger(year):
    return {"year": year, "pages": 3}


@task
def check_pages(ledger, strict):
    if strict and ledger["year"] < 1900:
        raise ValueError("no ledger of {}".format(ledger["year"]))
    return ledger["pages"]


@task
def sign_off(pages):
    return "{} pages".format(pages)


with Flow("Audit") as flow:
    year = Parameter("year", default=2023)
    strict = Parameter("strict", default=True)

    sign_off(check_pages(open_ledger(year), strict))
