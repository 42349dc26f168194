"""Tile server: build maps, alert on failure, always clean up, fall back when all sources failed."""

from prefect import flow, task


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


@task
def use_last_week(osm, satellite):
    return "tiles of last week"


@task
def alert(osm, satellite):
    return "alert sent"


@task
def remove_scratch(scratch, tiles):
    return "removed " + scratch


@flow(name="Tiles")
def tiles(region: str = "Alps", zoom: int = 12, clouds: int = 90):
    scratch = open_scratch(region)
    osm = fetch_osm(scratch, zoom, return_state=True)
    satellite = fetch_satellite(scratch, clouds, return_state=True)
    sources = [osm, satellite]

    built = build_tiles.submit(osm, satellite)  # stays NotReady when a source failed
    if all(source.is_failed() for source in sources):
        use_last_week(None, None)
    if any(source.is_failed() for source in sources):
        alert(None, None)
    built.wait()
    remove_scratch(scratch, None)
    return built  # the reference task: its state is the flow's
