"""Tile server: build maps, alert on failure, always clean up, fall back when all sources failed."""

from prefect import Flow, Parameter, task
from prefect.triggers import all_failed, all_finished, any_failed


@task
def open_scratch(region):
    return "/scratch/" + (region.strip() or "world")


@task
def fetch_osm(scratch, zoom):
    if zoom > 18:
        raise ValueError("no tiles beyond zoom 18")
    return [zoom, zoom * 2]


@task
def fetch_satellite(scratch, clouds):
    if clouds > 80:
        raise RuntimeError("{} percent clouds".format(clouds))
    return [clouds]


@task
def build_tiles(osm, satellite):
    return len(osm) + len(satellite)


@task(trigger=all_failed)
def use_last_week(osm, satellite):
    return "tiles of last week"


@task(trigger=any_failed)
def alert(osm, satellite):
    return "alert sent"


@task(trigger=all_finished)
def remove_scratch(scratch, tiles):
    # Two steps below a failed source: it runs all the same.
    return "removed " + scratch


with Flow("Tiles") as flow:
    region = Parameter("region", default="Alps")
    zoom = Parameter("zoom", default=12)
    clouds = Parameter("clouds", default=90)

    scratch = open_scratch(region)
    osm = fetch_osm(scratch, zoom)
    satellite = fetch_satellite(scratch, clouds)
    tiles = build_tiles(osm, satellite)
    fallback = use_last_week(osm, satellite)
    alerted = alert(osm, satellite)
    removed = remove_scratch(scratch, tiles)
    flow.set_reference_tasks([tiles])
