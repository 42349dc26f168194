"""Dispatch: the token has become a variable, the depot still comes from the environment."""

import os
from typing import List

from prefect import flow, task
from prefect.variables import Variable


@task
def plan_route(depot, stops):
    return [depot] + sorted({stop.strip() for stop in stops if stop.strip()})


@task
def authorise(route, token):
    return {"stops": len(route), "authorised": token.startswith("dispatch-"), "header": "Bearer " + token}


@task
def send(route, access):
    return {"route": route, "sent": access["authorised"] and access["stops"] > 1}


@flow(name="Dispatch")
def dispatch(stops: List[str] = ["Chur", "Arosa"]):
    route = plan_route(os.environ["DISPATCH_DEPOT"], stops)
    return send(route, authorise(route, Variable.get("dispatch_token").value))
