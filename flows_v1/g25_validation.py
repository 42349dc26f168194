"""Refund: what Prefect 1 refuses in its first task, Prefect 2 refuses before anything runs."""

from prefect import Flow, Parameter, task

REASONS = ("damaged", "late", "wrong item")


@task
def check_request(order, percent, reason):
    if not 0 <= percent <= 100:
        raise ValueError("cannot refund {} percent".format(percent))
    if reason not in REASONS:
        raise ValueError("no such reason: {}".format(reason))
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


with Flow("Refund") as flow:
    order = Parameter("order", default="A-1001")
    cents = Parameter("cents", default=12_500)
    percent = Parameter("percent", default=50)
    reason = Parameter("reason", default="late")

    request = check_request(order, percent, reason)
    amount = refund_amount(request, cents)
    book_refund(request, amount, choose_channel(request, amount))
