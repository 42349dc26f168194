"""Weather archive: a task whose file is there is not run again; the file bears the station and the year."""

from prefect import Flow, Parameter, task
from prefect.engine.results import LocalResult
from prefect.engine.serializers import JSONSerializer

archive = LocalResult(serializer=JSONSerializer())


@task(target="{station}/{year}.json", result=archive)
def download(station, year):
    return [len(station) + year % 100, 7, 12]


@task
def warmest(degrees):
    return max(degrees)


@task(target="reports/{year}.json", result=archive)
def write_report(year, maximum):
    return {"year": year, "maximum": maximum}


with Flow("Weather archive") as flow:
    station = Parameter("station", default="Davos")
    year = Parameter("year", default=2021)

    write_report(year, warmest(download(station, year)))
