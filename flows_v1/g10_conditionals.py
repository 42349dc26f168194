"""Loan decision: case and merge choose who decides, switch chooses the letter."""

from prefect import Flow, Parameter, case, task
from prefect.tasks.control_flow import merge, switch


@task
def score(income, debts):
    return max(0, min(100, (income - debts) // 100))


@task
def is_clear(points):
    return points >= 70 or points < 20


@task
def decide_by_rule(points):
    return "accept" if points >= 70 else "refuse"


@task
def ask_officer(points):
    return "accept" if points > 45 else "ask for papers"


@task
def accept_letter(points):
    return "welcome, {}".format(points)


@task
def refuse_letter():
    return "we are sorry"


@task
def papers_letter():
    return "please send papers"


@task
def archive(letter, decision):
    return {"letter": letter, "decision": decision}


with Flow("Loan decision") as flow:
    income = Parameter("income", default=6000)
    debts = Parameter("debts", default=1000)

    points = score(income, debts)
    clear = is_clear(points)
    with case(clear, True):
        by_rule = decide_by_rule(points)
    with case(clear, False):
        by_officer = ask_officer(points)
    decision = merge(by_rule, by_officer)

    accepted, refused, papers = accept_letter(points), refuse_letter(), papers_letter()
    switch(decision, {"accept": accepted, "refuse": refused, "ask for papers": papers})
    archive(merge(accepted, refused, papers), decision)
