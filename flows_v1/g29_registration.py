"""Address check: registered with a project and a schedule; the script registers itself when it is run."""

from prefect import Flow, Parameter, task
from prefect.schedules import CronSchedule


@task
def normalise(addresses):
    return [" ".join(address.split()).title() for address in addresses[:5]]


@task
def count_unknown(addresses):
    return sum(not any(character.isdigit() for character in address) for address in addresses)


with Flow("Address check", schedule=CronSchedule("30 4 * * *")) as flow:
    addresses = Parameter("addresses", default=["12 main  street", "unknown"])

    count_unknown(normalise(addresses))

if __name__ == "__main__":
    flow.register(project_name="customers")
