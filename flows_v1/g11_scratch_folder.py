"""Scan conversion in a scratch folder, which goes away whatever happened."""

from prefect import Flow, Parameter, resource_manager, task


@resource_manager
class ScratchFolder:
    def __init__(self, name):
        self.name = name

    def setup(self):
        return "/scratch/" + (self.name.strip() or "conversion")

    def cleanup(self, folder):
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


with Flow("Scan conversion") as flow:
    name = Parameter("name", default="batch-7")
    scans = Parameter("scans", default=["head", "hand"])
    quality = Parameter("quality", default=90)

    with ScratchFolder(name) as folder:
        images = convert(unpack(folder, scans), quality)
    checksum(images)
