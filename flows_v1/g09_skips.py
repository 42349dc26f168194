"""Newsletter: no subscribers, nothing to send; a skip travels downstream, unless a task says otherwise."""

from prefect import Flow, Parameter, task
from prefect.engine import signals


@task
def select_subscribers(addresses):
    found = [address.strip().lower() for address in addresses[:10] if "@" in address]
    if not found:
        raise signals.SKIP("nobody to write to")
    return found


@task
def render(subscribers, subject):
    return ["{}: {}".format(address, subject) for address in subscribers]


@task
def send(mails):
    return len(mails)


@task(skip_on_upstream_skip=False)
def record_statistics(sent):
    # After a skip there is no number: Prefect 1 hands on None.
    return {"sent": sent or 0}


with Flow("Newsletter") as flow:
    addresses = Parameter("addresses", default=["ana@example.org", "nobody"])
    subject = Parameter("subject", default="News")

    subscribers = select_subscribers(addresses)
    record_statistics(send(render(subscribers, subject)))
