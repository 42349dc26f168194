"""Page sizes: an async flow that awaits several async tasks at once, and a sync one."""

import asyncio
from typing import List

from prefect import flow, task


@task
def list_pages(names):
    return [name.strip().lower() for name in names[:4]]


@task
async def measure(page):
    await asyncio.sleep(0)
    return len(page) * 10


@task
def summary(sizes):
    return {"pages": len(sizes), "bytes": sum(sizes)}


@flow(name="Page sizes")
async def page_sizes(names: List[str] = ["Index", "About us"]):
    pages = list_pages(names)
    sizes = await asyncio.gather(*[measure(page) for page in pages])
    return summary(list(sizes))
