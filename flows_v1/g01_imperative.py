"""Stock count, built by a function with the imperative API: add_task, bind, add_edge."""

from prefect import Flow, Parameter, Task


class CountShelf(Task):
    def run(self, shelves):
        return [len(shelf.strip()) for shelf in shelves[:6]]


class Correct(Task):
    def __init__(self, loss, **kwargs):
        self.loss = loss
        super().__init__(**kwargs)

    def run(self, counts):
        return [max(0, count - self.loss) for count in counts]


class WriteStock(Task):
    def run(self, counts, location):
        return {"location": location.strip().upper() or "MAIN", "total": sum(counts)}


def build_flow():
    flow = Flow("Stock count")
    shelves, location = Parameter("shelves", default=["bolts", "nuts"]), Parameter("location", default="Basel")
    count = CountShelf(name="count shelf")
    correct = Correct(1, name="correct")
    write = WriteStock(name="write stock")
    for one in (shelves, location, count, correct, write):
        flow.add_task(one)
    count.bind(shelves=shelves, flow=flow)
    flow.add_edge(count, correct, key="counts")
    write.set_upstream(correct, key="counts", flow=flow)
    write.set_dependencies(flow=flow, keyword_tasks={"location": location})
    return flow
