"""Lab results: what the tasks log is read by the night shift."""

import prefect
from prefect import Flow, Parameter, task


@task
def read_results(values):
    logger = prefect.context.get("logger")
    logger.info("%d results received", len(values[:10]))
    return values[:10]


@task
def flag_critical(results, limit):
    logger = prefect.context.get("logger")
    critical = [value for value in results if value > limit]
    if critical:
        logger.warning("%d results above %s", len(critical), limit)
    return critical


@task(log_stdout=True)
def write_list(critical):
    print("list of {} patients".format(len(critical)))
    return len(critical)


@task
def archive(results):
    logger = prefect.context.get("logger")
    if not results:
        logger.error("nothing to archive")
        raise ValueError("no results")
    return len(results)


with Flow("Lab results") as flow:
    values = Parameter("values", default=[4, 9, 12])
    limit = Parameter("limit", default=8)

    results = read_results(values)
    write_list(flag_critical(results, limit))
    archive(results)
