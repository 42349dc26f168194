"""Paged catalogue: one task loops over the pages by LOOP and carries what it has in the result."""

from datetime import timedelta

import prefect
from prefect import Flow, Parameter, task
from prefect.engine import signals


@task
def first_page(start):
    return max(0, start)


@task(max_retries=2, retry_delay=timedelta(seconds=20))
def fetch_pages(start, pages):
    progress = prefect.context.get("task_loop_result") or {"page": start, "items": []}
    items = progress["items"] + [progress["page"] * 10]
    if len(items) >= max(1, min(pages, 4)):
        return items
    raise signals.LOOP(result={"page": progress["page"] + 1, "items": items})


@task
def store(items):
    return {"items": len(items), "last": items[-1]}


with Flow("Paged catalogue") as flow:
    start = Parameter("start", default=1)
    pages = Parameter("pages", default=3)

    store(fetch_pages(first_page(start), pages))
