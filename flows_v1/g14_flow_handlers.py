"""Settlement: handlers of the flow tell the desk how it ended."""

from prefect import Flow, Parameter, task


def tell_desk(text):
    print("DESK: {}".format(text))


def open_ticket(text):
    print("TICKET: {}".format(text))


def at_the_end(flow, old_state, new_state):
    if new_state.is_successful():
        tell_desk("{} settled".format(flow.name))


def when_failed(flow, state):
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


with Flow("Settlement", state_handlers=[at_the_end], on_failure=when_failed) as flow:
    trades = Parameter("trades", default=[500, -20, 70])
    fee = Parameter("fee", default=3)

    instruct(net(match_trades(trades), fee))
