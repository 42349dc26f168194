"""Dispatch: a token from the secrets of Prefect, and the name of the depot from the environment."""

from prefect import Flow, Parameter, task
from prefect.tasks.secrets import EnvVarSecret, PrefectSecret


@task
def plan_route(depot, stops):
    return [depot] + sorted({stop.strip() for stop in stops if stop.strip()})


@task
def authorise(route, token):
    return {"stops": len(route), "authorised": token.startswith("dispatch-"), "header": "Bearer " + token}


@task
def send(route, access):
    return {"route": route, "sent": access["authorised"] and access["stops"] > 1}


with Flow("Dispatch") as flow:
    stops = Parameter("stops", default=["Chur", "Arosa"])

    route = plan_route(EnvVarSecret("DISPATCH_DEPOT", raise_if_missing=True), stops)
    send(route, authorise(route, PrefectSecret("DISPATCH_TOKEN")))
