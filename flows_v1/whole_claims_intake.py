"""Claims intake of a health insurer: two dozen tasks that mix most of what Prefect 1 has.

Parameters, mapping, a resource manager, case and merge, skips, triggers, retries, signals, a state handler, unpacked
results, dependencies without data, reference tasks.
"""

from datetime import timedelta

import prefect
from prefect import Flow, Parameter, case, resource_manager, task, unmapped
from prefect.engine import signals
from prefect.tasks.control_flow import merge
from prefect.triggers import all_finished, any_failed


def page_desk(text):
    print("DESK: {}".format(text))


def on_transfer_failed(task, state):
    page_desk("{} failed".format(task.name))


@resource_manager
class Archive:
    def __init__(self, name):
        self.name = name

    def setup(self):
        return {"name": self.name.strip() or "claims", "open": True}

    def cleanup(self, archive):
        print("archive {name} closed".format(**archive))


@task
def open_day(day):
    return max(1, min(day, 28))


@task
def read_inbox(day, count):
    return ["C{:02d}-{}".format(day, number) for number in range(max(0, min(count, 4)))]


@task(nout=2)
def split_inbox(claims):
    return claims[::2], claims[1::2]


@task
def join_claims(letters, online):
    if not letters and not online:
        raise signals.SKIP("no claims today")
    return sorted(letters + online)


@task(max_retries=2, retry_delay=timedelta(minutes=10))
def fetch_policy(claim, outages):
    if prefect.context.get("task_run_count") <= max(0, min(outages, 3)):
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


@task(on_failure=on_transfer_failed)
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


@task(trigger=any_failed)
def alert(transferred, letters):
    return "alert"


@task(trigger=all_finished, skip_on_upstream_skip=False)
def close_day(transferred, printed):
    return "closed"


@task(skip_on_upstream_skip=False)
def statistics(claims, cents):
    return {"claims": len(claims), "cents": cents or 0}


@task
def publish(numbers, day):
    return dict(numbers, day=day)


with Flow("Claims intake") as flow:
    day = Parameter("day", default=3)
    count = Parameter("count", default=3)
    outages = Parameter("outages", default=1)
    ceiling = Parameter("ceiling", default=4000)
    account = Parameter("account", default="CH-1")
    archive_name = Parameter("archive", default="claims")

    opened = open_day(day)
    inbox = read_inbox(opened, count)
    letters_in, online = split_inbox(inbox)
    claims = join_claims(letters_in, online)
    policies = fetch_policy.map(claims, unmapped(outages))
    assessed = assess.map(policies, unmapped(ceiling))
    with Archive(archive_name) as archive:
        filed = file_away.map(unmapped(archive), assessed)
    cents = total(assessed)
    large = is_large(cents)
    with case(large, True):
        by_manager = ask_manager(cents)
    with case(large, False):
        by_rule = approve_automatically(cents)
    decision = merge(by_manager, by_rule)
    transferred = transfer(decision, cents, account)
    letters = write_letters(assessed)
    letters.set_upstream(transferred)
    printed = print_letters(letters)
    alerted = alert(transferred, letters)
    closed = close_day(transferred, printed)
    numbers = statistics(inbox, cents)
    published = publish(numbers, opened)
    flow.set_reference_tasks([published, transferred])
