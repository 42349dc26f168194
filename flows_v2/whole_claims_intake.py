"""Claims intake of a health insurer: two dozen tasks in plain Python."""

import contextlib

from prefect import flow, task, unmapped
from prefect.runtime import task_run
from prefect.states import Completed


def page_desk(text):
    print("DESK: {}".format(text))


def on_transfer_failed(task, task_run, state):
    page_desk("{} failed".format(task.name))


@contextlib.contextmanager
def archive_of(name):
    archive = {"name": name.strip() or "claims", "open": True}
    try:
        yield archive
    finally:
        print("archive {name} closed".format(**archive))


@task
def open_day(day):
    return max(1, min(day, 28))


@task
def read_inbox(day, count):
    return ["C{:02d}-{}".format(day, number) for number in range(max(0, min(count, 4)))]


@task
def split_inbox(claims):
    return claims[::2], claims[1::2]


@task
def join_claims(letters, online):
    if not letters and not online:
        return Completed(name="Skipped", message="no claims today", data=[])
    return sorted(letters + online)


@task(retries=2, retry_delay_seconds=600)
def fetch_policy(claim, outages):
    if task_run.run_count <= max(0, min(outages, 3)):
        raise ConnectionError("policy system does not answer")
    return {"claim": claim, "cover": 80 if claim.endswith("0") else 60}


@task
def assess(policy, ceiling):
    cents = sum(ord(letter) for letter in policy["claim"]) * 10
    return {"claim": policy["claim"], "cents": min(cents, max(ceiling, 0)) * policy["cover"] // 100}


@task
def file_away(archive, assessed):
    return "{}/{}".format(archive["name"], assessed["claim"])


@task
def total(assessed):
    return sum(one["cents"] for one in assessed)


@task
def is_large(cents):
    return cents > 5000


@task
def ask_manager(cents):
    return "manager approved {}".format(cents)


@task
def approve_automatically(cents):
    return "approved {}".format(cents)


@task(on_failure=[on_transfer_failed])
def transfer(decision, cents, account):
    if not account.strip():
        raise ValueError("no account to pay from")
    return {"decision": decision, "cents": cents}


@task
def write_letters(assessed):
    return ["Dear client, your claim {claim} is worth {cents}".format(**one) for one in assessed]


@task
def print_letters(letters):
    return len(letters)


@task
def alert(transferred, letters):
    return "alert"


@task
def close_day(transferred, printed):
    return "closed"


@task
def statistics(claims, cents):
    return {"claims": len(claims), "cents": cents or 0}


@task
def publish(numbers, day):
    return dict(numbers, day=day)


@flow(name="Claims intake")
def claims_intake(
    day: int = 3,
    count: int = 3,
    outages: int = 1,
    ceiling: int = 4000,
    account: str = "CH-1",
    archive: str = "claims",
):
    opened = open_day(day)
    inbox = read_inbox(opened, count)
    letters_in, online = split_inbox(inbox)
    claims = join_claims(letters_in, online)
    with archive_of(archive) as place:
        if not claims:  # what Prefect 1 skipped
            close_day(None, None)
            return None, publish(statistics(inbox, None), opened)
        policies = fetch_policy.map(claims, unmapped(outages))
        assessed = assess.map(policies, unmapped(ceiling))
        filed = [file_away.submit(place, one) for one in assessed]
        for one in filed:
            one.wait()
    cents = total.submit(assessed)
    if not cents.wait().is_completed():  # a policy could not be fetched
        page_desk("transfer failed")  # no hook is called for a task that was never reached
        alert(None, None)
        close_day(None, None)
        return publish.submit(statistics.submit(inbox, cents), opened)
    decision = ask_manager(cents) if is_large(cents) else approve_automatically(cents)
    transferred = transfer.submit(decision, cents, account)
    if transferred.wait().is_completed():
        print_letters(write_letters.submit(assessed))
    else:
        alert(None, None)
    close_day(None, None)
    return transferred, publish.submit(statistics.submit(inbox, cents), opened)
