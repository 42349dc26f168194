"""Page sizes: mapped tasks of Prefect 1, before there was async."""

from prefect import Flow, Parameter, task


@task
def list_pages(names):
    return [name.strip().lower() for name in names[:4]]


@task
def measure(page):
    return len(page) * 10


@task
def summary(sizes):
    return {"pages": len(sizes), "bytes": sum(sizes)}


with Flow("Page sizes") as flow:
    names = Parameter("names", default=["Index", "About us"])

    summary(measure.map(list_pages(names)))
