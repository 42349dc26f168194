"""Risk report on a cluster of its own: set up, used by several tasks, cleaned up whatever happened."""

from prefect import Flow, Parameter, resource_manager, task


@resource_manager
class Cluster:
    def __init__(self, workers):
        self.workers = workers

    def setup(self):
        if self.workers > 8:
            raise RuntimeError("no {} workers left".format(self.workers))
        return {"workers": max(1, self.workers), "jobs": 0}

    def cleanup(self, cluster):
        print("cluster of {workers} stopped".format(**cluster))


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


with Flow("Risk report") as flow:
    workers = Parameter("workers", default=2)
    rows = Parameter("rows", default=4)
    shock = Parameter("shock", default=20)

    positions = load_positions(rows)
    with Cluster(workers) as cluster:
        values = value_positions(cluster, positions)
        stressed = stress_test(cluster, values, shock)
    report(values, stressed)
