"""Payout: above a limit the flow run pauses until a person approves."""

from typing import List

from prefect import flow, pause_flow_run, task


@task
def collect_payouts(claims):
    return [max(0, claim) for claim in claims[:10]]


@task
def approve(payouts, limit):
    return sum(payouts)


@task
def pay(payouts, approved):
    return {"paid": len(payouts), "cents": approved}


@flow(name="Payout")
def payout(claims: List[int] = [12000, 5500], limit: int = 10000):
    payouts = collect_payouts(claims)
    if sum(payouts) > limit:
        pause_flow_run(timeout=3600)  # in Prefect 2 the flow pauses, not the task
    return pay(payouts, approve(payouts, limit))
