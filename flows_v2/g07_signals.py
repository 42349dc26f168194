"""Invoice inbox: the signals as exceptions, early returns and states."""

from prefect import flow, task
from prefect.runtime import task_run
from prefect.states import AwaitingRetry


class InboxError(Exception):
    pass


def can_be_mended(task, task_run, state):
    return not isinstance(state.result(raise_on_failure=False), InboxError)


@task(retries=1, retry_delay_seconds=60, retry_condition_fn=can_be_mended)
def open_inbox(mailbox):
    if not mailbox.strip():
        raise InboxError("no mailbox given")
    return mailbox.strip().lower()


@task
def wait_for_mail(mailbox, ready_after):
    if task_run.run_count <= max(0, min(ready_after, 3)):
        return AwaitingRetry(message="not yet")
    return ["{}-{}".format(mailbox, number) for number in range(3)]


@task
def read_invoices(mails, limit):
    if limit <= 0:
        return []
    return [{"id": mail, "cents": 1000 * (index + 1)} for index, mail in enumerate(mails[:limit])]


@task
def check_total(invoices, ceiling):
    total = sum(invoice["cents"] for invoice in invoices)
    if total > ceiling:
        raise ValueError("total {} is above {}".format(total, ceiling))
    return total


@flow(name="Invoice inbox")
def invoice_inbox(mailbox: str = "Billing", ready_after: int = 1, limit: int = 2, ceiling: int = 5000):
    mails = wait_for_mail(open_inbox(mailbox), ready_after)
    return check_total(read_invoices(mails, limit), ceiling)
