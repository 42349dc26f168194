"""Stock count: the class with a setting becomes a function that makes the task."""

from typing import List

from prefect import flow, task


@task(name="count shelf")
def count_shelf(shelves):
    return [len(shelf.strip()) for shelf in shelves[:6]]


def make_correct(loss):
    @task(name="correct")
    def correct(counts):
        return [max(0, count - loss) for count in counts]

    return correct


@task(name="write stock")
def write_stock(counts, location):
    return {"location": location.strip().upper() or "MAIN", "total": sum(counts)}


@flow(name="Stock count")
def stock_count(shelves: List[str] = ["bolts", "nuts"], location: str = "Basel"):
    return write_stock(make_correct(1)(count_shelf(shelves)), location)
