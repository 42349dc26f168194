"""Paged catalogue: a plain loop inside the task."""

from prefect import flow, task


@task
def first_page(start):
    return max(0, start)


@task(retries=2, retry_delay_seconds=20)
def fetch_pages(start, pages):
    items = []
    while True:
        items = items + [(start + len(items)) * 10]
        if len(items) >= max(1, min(pages, 4)):
            return items


@task
def store(items):
    return {"items": len(items), "last": items[-1]}


@flow(name="Paged catalogue")
def paged_catalogue(start: int = 1, pages: int = 3):
    return store(fetch_pages(first_page(start), pages))
