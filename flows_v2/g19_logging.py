"""Lab results: get_run_logger in the place of the context's logger, log_prints in that of log_stdout."""

from typing import List

from prefect import flow, get_run_logger, task


@task
def read_results(values):
    logger = get_run_logger()
    logger.info("%d results received", len(values[:10]))
    return values[:10]


@task
def flag_critical(results, limit):
    logger = get_run_logger()
    critical = [value for value in results if value > limit]
    if critical:
        logger.warning("%d results above %s", len(critical), limit)
    return critical


@task(log_prints=True)
def write_list(critical):
    print("list of {} patients".format(len(critical)))
    return len(critical)


@task
def archive(results):
    logger = get_run_logger()
    if not results:
        logger.error("nothing to archive")
        raise ValueError("no results")
    return len(results)


@flow(name="Lab results")
def lab_results(values: List[int] = [4, 9, 12], limit: int = 8):
    results = read_results(values)
    get_run_logger().info("a flow function can log as well; Prefect 1 had no place for it")
    written = write_list.submit(flag_critical.submit(results, limit))
    return written, archive.submit(results)
