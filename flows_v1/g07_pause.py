"""Payout: above a limit a person approves before the money goes out."""

import prefect
from prefect import Flow, Parameter, task
from prefect.engine import signals


@task
def collect_payouts(claims):
    return [max(0, claim) for claim in claims[:10]]


@task
def approve(payouts, limit):
    if sum(payouts) > limit and not prefect.context.get("resume"):
        raise signals.PAUSE("approval needed")
    return sum(payouts)


@task
def pay(payouts, approved):
    return {"paid": len(payouts), "cents": approved}


with Flow("Payout") as flow:
    claims = Parameter("claims", default=[12000, 5500])
    limit = Parameter("limit", default=10000)

    payouts = collect_payouts(claims)
    pay(payouts, approve(payouts, limit))
