"""Tile rendering on the concurrent task runner."""

from prefect import flow, task
from prefect.task_runners import ConcurrentTaskRunner


@task
def list_tiles(zoom):
    return list(range(2 ** max(0, min(zoom, 2))))


@task
def render(tile):
    return tile * tile


@task
def stitch(tiles):
    return sum(tiles)


@flow(name="Tile rendering", task_runner=ConcurrentTaskRunner())
def tile_rendering(zoom: int = 2):
    return stitch(render.map(list_tiles(zoom)))
