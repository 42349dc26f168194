"""Refund: what Prefect 1 refuses in its first task, Prefect 2 refuses before anything runs."""

from typing import Literal

from prefect import flow, task
from pydantic import Field
from typing_extensions import Annotated


@task
def check_request(order, percent, reason):
    # The annotations of the flow have refused what the Prefect 1 task refused here.
    return {"order": order.strip() or "unknown", "percent": percent, "reason": reason}


@task
def refund_amount(request, cents):
    return max(cents, 0) * request["percent"] // 100


@task
def choose_channel(request, amount):
    return "manual" if amount > 50_000 or request["reason"] == "wrong item" else "automatic"


@task
def book_refund(request, amount, channel):
    return {"order": request["order"], "cents": amount, "channel": channel}


@flow(name="Refund")
def refund(
    order: str = "A-1001",
    cents: int = 12_500,
    percent: Annotated[int, Field(ge=0, le=100)] = 50,
    reason: Literal["damaged", "late", "wrong item"] = "late",
):
    request = check_request(order, percent, reason)
    amount = refund_amount(request, cents)
    return book_refund(request, amount, choose_channel(request, amount))
