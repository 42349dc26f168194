"""Daily extract: what tasks read from Prefect's context."""

import prefect
from prefect import Flow, Parameter, task


@task
def file_name(region):
    return "{}-{}.csv".format(region.strip().lower() or "all", prefect.context.get("today_nodash"))


@task
def extract_window():
    return {"from": prefect.context.get("yesterday"), "until": prefect.context.get("today")}


@task
def started():
    return prefect.context.get("scheduled_start_time").strftime("%Y-%m-%dT%H:%M:%S")


@task
def given():
    return dict(prefect.context.get("parameters"))


@task
def number_pages(page):
    return "{}: {}".format(prefect.context.get("map_index"), page)


@task
def title():
    context = prefect.context
    return "{} of {}, attempt {}".format(
        context.get("task_name"), context.get("flow_name"), context.get("task_run_count")
    )


@task
def kept_until(days):
    return (prefect.context.get("date").add(days=min(max(days, 0), 365))).isoformat()


@task
def manifest(name, window, start, parameters, pages, title, until):
    return dict(parameters, name=name, window=window, start=start, pages=pages, title=title, until=until)


with Flow("Daily extract") as flow:
    region = Parameter("region", default="EU")
    days = Parameter("days", default=30)
    pages = Parameter("pages", default=["orders", "refunds"])

    numbered = number_pages.map(pages)
    manifest(file_name(region), extract_window(), started(), given(), numbered, title(), kept_until(days))
