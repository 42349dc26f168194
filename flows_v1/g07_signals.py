"""Invoice inbox: tasks that end themselves by signals: fail, succeed early, be tried again, end without a retry."""

from datetime import timedelta

import prefect
from prefect import Flow, Parameter, task
from prefect.engine import signals
from prefect.engine.state import Failed


@task(max_retries=1, retry_delay=timedelta(minutes=1))
def open_inbox(mailbox):
    if not mailbox.strip():
        # Nothing that a second attempt could mend: ENDRUN ends the task at once.
        raise signals.ENDRUN(Failed("no mailbox given"))
    return mailbox.strip().lower()


@task
def wait_for_mail(mailbox, ready_after):
    # The mail server says when to come back; RETRY is not limited by max_retries.
    if prefect.context.get("task_run_count") <= max(0, min(ready_after, 3)):
        raise signals.RETRY("not yet")
    return ["{}-{}".format(mailbox, number) for number in range(3)]


@task
def read_invoices(mails, limit):
    if limit <= 0:
        raise signals.SUCCESS("nothing asked for", result=[])
    return [{"id": mail, "cents": 1000 * (index + 1)} for index, mail in enumerate(mails[:limit])]


@task
def check_total(invoices, ceiling):
    total = sum(invoice["cents"] for invoice in invoices)
    if total > ceiling:
        raise signals.FAIL("total {} is above {}".format(total, ceiling))
    return total


with Flow("Invoice inbox") as flow:
    mailbox = Parameter("mailbox", default="Billing")
    ready_after = Parameter("ready_after", default=1)
    limit = Parameter("limit", default=2)
    ceiling = Parameter("ceiling", default=5000)

    mails = wait_for_mail(open_inbox(mailbox), ready_after)
    check_total(read_invoices(mails, limit), ceiling)
