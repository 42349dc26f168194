"""Survey: tasks with names of their own, one function under two names, run names by template."""

from prefect import Flow, Parameter, Task, task


class Normalise(Task):
    def run(self, text):
        return " ".join(text.split())


@task(name="Count words")
def count(text):
    return len(text.split())


def longest(text):
    return max(text.split() or [""], key=len)


@task(name="Write up", task_run_name="write-up-{words}")
def write_up(words, word, again):
    return "{} words, longest {!r}, {} the second time".format(words, word, again)


with Flow("Survey") as flow:
    text = Parameter("text", default="maps  and medical data")

    clean = Normalise(name="normalise")(text)
    words = count(clean)
    word = task(longest, name="longest-word")(clean)
    again = count(word, task_args={"name": "Count again"})
    write_up(words, word, again)
