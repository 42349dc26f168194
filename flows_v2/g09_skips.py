"""Newsletter: what Prefect 1 skipped is not called."""

from typing import List

from prefect import flow, task
from prefect.states import Completed


@task
def select_subscribers(addresses):
    found = [address.strip().lower() for address in addresses[:10] if "@" in address]
    if not found:
        return Completed(name="Skipped", message="nobody to write to", data=[])
    return found


@task
def render(subscribers, subject):
    return ["{}: {}".format(address, subject) for address in subscribers]


@task
def send(mails):
    return len(mails)


@task
def record_statistics(sent):
    return {"sent": sent or 0}


@flow(name="Newsletter")
def newsletter(addresses: List[str] = ["ana@example.org", "nobody"], subject: str = "News"):
    subscribers = select_subscribers(addresses)
    # A Completed state named Skipped is completed: what follows has to be left out by hand.
    sent = send(render(subscribers, subject)) if subscribers else None
    return record_statistics(sent)
