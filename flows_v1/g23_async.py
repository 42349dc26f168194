"""Catalogue pages: fetched one after the other here, concurrently by the async Prefect 2 flow."""

from datetime import timedelta

import prefect
from prefect import Flow, Parameter, task, unmapped


@task
def list_pages(pages, first):
    return [first + number for number in range(max(0, min(pages, 5)))]


@task(max_retries=1, retry_delay=timedelta(seconds=30))
def fetch_page(page, section):
    # Every third page answers on the second attempt only, page 13 never.
    if page == 13 or (page % 3 == 0 and prefect.context.get("task_run_count") == 1):
        raise ConnectionError("page {} did not answer".format(page))
    return {"page": page, "section": section, "items": [page * 10, page * 10 + 1]}


@task
def merge_pages(pages):
    return [item for page in pages for item in page["items"]]


@task
def build_index(items, section):
    return {"section": section.strip().lower(), "count": len(items), "last": items[-1] if items else None}


with Flow("Catalogue pages") as flow:
    pages = Parameter("pages", default=4)
    first = Parameter("first", default=1)
    section = Parameter("section", default="Tools")

    numbers = list_pages(pages, first)
    fetched = fetch_page.map(numbers, unmapped(section))
    items = merge_pages(fetched)
    build_index(items, section)
