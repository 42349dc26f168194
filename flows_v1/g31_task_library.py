"""Greeting cards: tasks of Prefect 1's library: a shell command, a template, a date."""

from prefect import Flow, Parameter, task
from prefect.tasks.shell import ShellTask
from prefect.tasks.templates import StringFormatter


@task
def clean(name):
    return "".join(letter for letter in name if letter.isalnum())[:20] or "friend"


count_letters = ShellTask(name="count_letters", return_all=False)
card = StringFormatter(name="card", template="Dear {name}, your name has {letters} letters.")


@task
def command(name):
    return "printf %s {} | wc -c".format(name)


@task
def envelope(text):
    return {"text": text, "stamp": 110 if len(text) > 40 else 85}


with Flow("Greeting cards") as flow:
    name = Parameter("name", default="Ada")

    cleaned = clean(name)
    letters = count_letters(command=command(cleaned))
    envelope(card(name=cleaned, letters=letters))
