"""Settlement: hooks of the flow tell the desk how it ended."""

from typing import List

from prefect import flow, task


def tell_desk(text):
    print("DESK: {}".format(text))


def open_ticket(text):
    print("TICKET: {}".format(text))


def at_the_end(flow, flow_run, state):
    tell_desk("{} settled".format(flow.name))


def when_failed(flow, flow_run, state):
    open_ticket("{} failed".format(flow.name))


@task
def match_trades(trades):
    return [trade for trade in trades[:8] if trade > 0]


@task
def net(matched, fee):
    if fee < 0:
        raise ValueError("negative fee {}".format(fee))
    return sum(matched) - fee * len(matched)


@task
def instruct(amount):
    return {"cents": amount, "direction": "pay" if amount >= 0 else "receive"}


@flow(name="Settlement", on_completion=[at_the_end], on_failure=[when_failed])
def settlement(trades: List[int] = [500, -20, 70], fee: int = 3):
    return instruct(net(match_trades(trades), fee))
