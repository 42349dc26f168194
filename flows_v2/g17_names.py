"""Survey: the same names, as far as Prefect 2 users write them so."""

from prefect import flow, task


@task(name="normalise")
def normalise(text):
    return " ".join(text.split())


@task(name="count_words")  # case, spaces and dashes do not matter
def count(text):
    return len(text.split())


@task
def longest_word(text):
    return max(text.split() or [""], key=len)


@task(name="summary", task_run_name="summary-{words}")  # renamed: a line in the pair's table says so
def write_up(words, word, again):
    return "{} words, longest {!r}, {} the second time".format(words, word, again)


@flow(name="survey")
def survey(text: str = "maps  and medical data"):
    clean = normalise(text)
    words = count(clean)
    word = longest_word(clean)
    again = count.with_options(name="Count again")(word)
    return write_up(words, word, again)
