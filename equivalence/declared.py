"""What two flows declare and no run shows: schedules, run configuration, deployments. Descriptions in, differences out.

Pure: the workers have worked out the fire times, each with its own engine.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from equivalence.compare.states import Difference
from equivalence.descriptions import FlowDescription

Fire = tuple[float, Mapping[str, str]]
"""A time stamp, and the parameters that this run gets: names to digests."""


@dataclass(frozen=True, slots=True)
class Declared:
    """The differences, and what could not be compared."""

    differences: tuple[Difference, ...]
    uncompared: tuple[str, ...]


def compare_declared(v1: FlowDescription, v2: FlowDescription) -> Declared:
    """Compare schedule and run configuration of the old flow with the deployments of the new one.

    ============================  ==============================  ============================================
    v1 declares                   v2 has                          outcome
    ============================  ==============================  ============================================
    a schedule                    no deployment anywhere          said: it may be made elsewhere
    a schedule                    deployments, none of this flow  `contract`
    a schedule                    a deployment                    `schedule` where the fire times differ
    no schedule                   a deployment with one           `schedule`
    run configuration             a deployment                    `contract` where both name it and differ
    ============================  ==============================  ============================================
    """
    if "deployments" not in v2.declared:
        return Declared((), ())  # two flows of Prefect 1
    schedule, config = v1.declared.get("schedule"), v1.declared.get("run_config")
    deployments = v2.declared.get("deployments") or ()
    differences: list[Difference] = []
    said: list[str] = []
    for problem in v2.declared.get("problems") or ():
        differences.append(Difference("contract", "deployment", "-", problem))
    if not deployments and (schedule or config):
        what = "schedule" if schedule else "run configuration"
        shown = schedule["text"] if schedule else (config or {})["type"]
        if v2.declared.get("others"):
            differences.append(Difference("contract", "deployment", f"{what}: {shown}", "no deployment of this flow"))
        else:
            said.append(f"{what}: the v1 flow declares {shown}; no deployment of the v2 flow was found")
    for deployment in deployments:
        differences += _schedules(v1, v2, schedule, deployment, said)
        differences += _run_config(config, deployment, said)
    return Declared(tuple(differences), tuple(said))


# ------------------------------------------------------------------------------------------------ schedules


def _schedules(
    v1: FlowDescription,
    v2: FlowDescription,
    schedule: Mapping[str, Any] | None,
    deployment: Mapping[str, Any],
    said: list[str],
) -> Iterator[Difference]:
    name = deployment["name"]
    for side, told in (("v1", schedule), ("v2", deployment)):
        if told and told.get("problem"):
            said.append(f"schedule: {side} cannot be read: {told['problem']}")
            return
    unknown = sorted(set(deployment["parameters"]) - {parameter.name for parameter in v2.parameters})
    if unknown:
        text = f"deployment {name!r} gives {', '.join(unknown)}, which the flow does not take"
        yield Difference("contract", "deployment.parameters", "-", text)
    active = deployment["schedules"] - deployment["inactive"]
    if schedule is None:
        if active:
            yield Difference("schedule", "schedule", "no schedule", f"{deployment['text']} (deployment {name!r})")
        return
    if not active:
        inactive = "its schedule is not active" if deployment["inactive"] else "it has no schedule"
        yield Difference("schedule", "schedule", schedule["text"], f"deployment {name!r}: {inactive}")
        return
    starts = sorted(set(schedule["fires"]) & set(deployment["fires"]))
    old = {start: [_fire(v1, stamp, given) for stamp, given in schedule["fires"][start]] for start in starts}
    new = {
        start: [_fire(v2, stamp, deployment["parameters"]) for stamp in deployment["fires"][start]] for start in starts
    }
    difference = _first_difference(old, new, schedule, deployment)
    if difference is not None:
        yield difference


def _fire(flow: FlowDescription, stamp: float, given: Mapping[str, Mapping[str, str]]) -> Fire:
    """The parameters of a scheduled run: those of the schedule, else the flow's defaults."""
    parameters = {
        parameter.name.casefold().replace("-", "_").replace(" ", "_"): parameter.default_digest or ""
        for parameter in flow.parameters
    }
    parameters |= {
        name.casefold().replace("-", "_").replace(" ", "_"): value["digest"] for name, value in given.items()
    }
    return stamp, parameters


def _first_difference(
    old: Mapping[str, Sequence[Fire]],
    new: Mapping[str, Sequence[Fire]],
    schedule: Mapping[str, Any],
    deployment: Mapping[str, Any],
) -> Difference | None:
    zone = schedule.get("zone") or deployment.get("zone")
    other_times = sum([fire[0] for fire in old[start]] != [fire[0] for fire in new[start]] for start in old)
    for start in old:
        for index in range(max(len(old[start]), len(new[start]))):
            one = old[start][index] if index < len(old[start]) else None
            other = new[start][index] if index < len(new[start]) else None
            if one is not None and other is not None and one[0] == other[0]:
                changed = sorted(name for name in one[1] if name in other[1] and one[1][name] != other[1][name])
                if changed:
                    shown = _parameters(schedule["fires"][start][index][1], changed)
                    given = _parameters(deployment["parameters"], changed)
                    return Difference(
                        "schedule",
                        f"schedule.parameters.{changed[0]}",
                        shown,
                        given,
                        note=f"at {_moment(one[0], zone)}",
                    )
                continue
            note = f"from {_moment(datetime.fromisoformat(start).timestamp(), None)}"
            note += f"; {other_times} of {len(old)} spans of 200 fire times differ: v1 {schedule['text']}"
            note += f", v2 {deployment['text']}"
            return Difference(
                "schedule",
                f"schedule[{index}]",
                _moment(one[0], zone) if one else "no further run",
                _moment(other[0], zone) if other else "no further run",
                note=note,
            )
    return None


def _parameters(given: Mapping[str, Mapping[str, str]], names: Sequence[str]) -> str:
    return ", ".join(f"{name}={given[name]['text']}" if name in given else f"{name} by default" for name in names)


def _moment(stamp: float, zone: str | None) -> str:
    """In UTC, and in the schedule's own zone where it has one."""
    moment = datetime.fromtimestamp(stamp, timezone.utc)
    shown = f"{moment:%Y-%m-%d %H:%M} UTC"
    if zone not in (None, "UTC"):
        import zoneinfo

        with contextlib.suppress(zoneinfo.ZoneInfoNotFoundError, ValueError):
            shown += f" ({moment.astimezone(zoneinfo.ZoneInfo(str(zone))):%H:%M} {zone})"
    return shown


# ---------------------------------------------------------------------------------------- run configuration


def _run_config(
    config: Mapping[str, Any] | None, deployment: Mapping[str, Any], said: list[str]
) -> Iterator[Difference]:
    if config is None:
        return
    alone = []
    for group in ("fields", "env"):
        for name, value in config[group].items():
            path = f"run_config.{name}" if group == "fields" else f"run_config.env.{name}"
            other = deployment[group].get(name)
            if other is None and (group == "fields" or not deployment["env"]):
                alone.append(name)
            elif other != value:
                yield Difference("contract", path, value, other or "not set")
    if config["labels"] and deployment["queue"] not in config["labels"]:
        missing = [label for label in config["labels"] if label not in deployment["tags"]]
        alone += [f"label {label}" for label in missing]
    if alone:
        said.append(f"run configuration: only v1 names {', '.join(alone)}")
