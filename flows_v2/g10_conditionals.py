"""Loan decision: plain Python chooses who decides and which letter goes out."""

from prefect import flow, task


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


@flow(name="Loan decision")
def loan_decision(income: int = 6000, debts: int = 1000):
    points = score(income, debts)
    if is_clear(points):
        decision = decide_by_rule(points)
    else:
        decision = ask_officer(points)

    if decision == "accept":
        letter = accept_letter(points)
    elif decision == "refuse":
        letter = refuse_letter()
    else:
        letter = papers_letter()
    return archive(letter, decision)
