"""Import of claims: Slack hears of failed tasks and of the end of the flow."""

from prefect import Flow, Parameter, task
from prefect.engine.state import Failed, Success
from prefect.utilities.notifications import slack_notifier


@task(state_handlers=[slack_notifier(only_states=[Failed], backend_info=False)])
def read_claims(count):
    if count < 0:
        raise ValueError("cannot read {} claims".format(count))
    return list(range(min(count, 6)))


@task
def check_claims(claims, strict):
    if strict and not claims:
        raise ValueError("no claims today")
    return [claim for claim in claims if claim % 3]


@task
def store_claims(claims):
    return len(claims)


with Flow(
    "Import of claims", state_handlers=[slack_notifier(only_states=[Success, Failed], backend_info=False)]
) as flow:
    count = Parameter("count", default=5)
    strict = Parameter("strict", default=True)

    store_claims(check_claims(read_claims(count), strict))
