"""Tile rendering on a pool of threads."""

from prefect import Flow, Parameter, task
from prefect.executors import LocalDaskExecutor


@task
def list_tiles(zoom):
    return list(range(2 ** max(0, min(zoom, 2))))


@task
def render(tile):
    return tile * tile


@task
def stitch(tiles):
    return sum(tiles)


with Flow("Tile rendering", executor=LocalDaskExecutor(scheduler="threads", num_workers=4)) as flow:
    zoom = Parameter("zoom", default=2)

    stitch(render.map(list_tiles(zoom)))
