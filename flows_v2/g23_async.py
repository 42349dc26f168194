"""Catalogue pages: fetched concurrently by an async flow, one after the other by Prefect 1."""

from prefect import flow, task, unmapped
from prefect.context import get_run_context


@task
async def list_pages(pages, first):
    return [first + number for number in range(max(0, min(pages, 5)))]


@task(retries=1, retry_delay_seconds=30)
async def fetch_page(page, section):
    # Every third page answers on the second attempt only, page 13 never.
    if page == 13 or (page % 3 == 0 and get_run_context().task_run.run_count == 1):
        raise ConnectionError(f"page {page} did not answer")
    return {"page": page, "section": section, "items": [page * 10, page * 10 + 1]}


@task
async def merge_pages(pages):
    return [item for page in pages for item in page["items"]]


@task
async def build_index(items, section):
    return {"section": section.strip().lower(), "count": len(items), "last": items[-1] if items else None}


@flow(name="Catalogue pages")
async def catalogue_pages(pages: int = 4, first: int = 1, section: str = "Tools"):
    numbers = await list_pages(pages, first)
    fetched = await fetch_page.map(numbers, unmapped(section))
    items = await merge_pages.submit(fetched)
    # The future is the return value, so its state is the flow's.
    return await build_index.submit(items, section)
