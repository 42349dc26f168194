"""Weather archive: the template of the target has become the key; a cached result is kept in the result storage."""

from prefect import flow, task


def by_station_and_year(context, parameters):
    return "{station}/{year}".format(**parameters)


def by_year(context, parameters):
    return "reports/{year}".format(**parameters)


@task(cache_key_fn=by_station_and_year, persist_result=True, result_serializer="json")
def download(station, year):
    return [len(station) + year % 100, 7, 12]


@task
def warmest(degrees):
    return max(degrees)


@task(cache_key_fn=by_year, persist_result=True, result_serializer="json")
def write_report(year, maximum):
    return {"year": year, "maximum": maximum}


@flow(name="Weather archive")
def weather_archive(station: str = "Davos", year: int = 2021):
    return write_report(year, warmest(download(station, year)))
