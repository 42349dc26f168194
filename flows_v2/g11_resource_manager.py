"""Risk report on a cluster of its own: a context manager around the tasks that use it."""

from prefect import flow, task


class Cluster:
    def __init__(self, workers):
        self.workers = workers

    def __enter__(self):
        if self.workers > 8:
            raise RuntimeError("no {} workers left".format(self.workers))
        self.cluster = {"workers": max(1, self.workers), "jobs": 0}
        return self.cluster

    def __exit__(self, *error):
        print("cluster of {workers} stopped".format(**self.cluster))


@task
def load_positions(rows):
    return list(range(1, max(1, min(rows, 6))))


@task
def value_positions(cluster, positions):
    return [position * 100 // cluster["workers"] for position in positions]


@task
def stress_test(cluster, values, shock):
    if shock > 100:
        raise ValueError("nothing is left after a shock of {} percent".format(shock))
    return [value * (100 - shock) // 100 for value in values]


@task
def report(values, stressed):
    return {"value": sum(values), "after": sum(stressed)}


@flow(name="Risk report")
def risk_report(workers: int = 2, rows: int = 4, shock: int = 20):
    positions = load_positions(rows)
    with Cluster(workers) as cluster:
        values = value_positions.submit(cluster, positions)
        stressed = stress_test.submit(cluster, values, shock)
        stressed.wait()  # a submitted task would go on after the cluster is gone
    return report(values, stressed)
