"""Scan conversion in a scratch folder: a generator function is the context manager."""

import contextlib
from typing import List

from prefect import flow, task


@contextlib.contextmanager
def scratch_folder(name):
    folder = "/scratch/" + (name.strip() or "conversion")
    try:
        yield folder
    finally:
        print("removed {}".format(folder))


@task
def unpack(folder, scans):
    return ["{}/{}.dcm".format(folder, scan) for scan in scans[:5]]


@task
def convert(files, quality):
    if not 1 <= quality <= 100:
        raise ValueError("quality {}".format(quality))
    return [file.replace(".dcm", ".jpg") for file in files]


@task
def checksum(files):
    return sum(len(file) for file in files)


@flow(name="Scan conversion")
def scan_conversion(name: str = "batch-7", scans: List[str] = ["head", "hand"], quality: int = 90):
    with scratch_folder(name) as folder:
        images = convert(unpack(folder, scans), quality)
    return checksum(images)
