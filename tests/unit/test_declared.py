"""Schedules, run configuration and deployments as declared, with descriptions built by hand."""

from __future__ import annotations

from typing import Any

import pytest

from equivalence.declared import compare_declared
from equivalence.descriptions import FlowDescription

START = "2024-01-01T00:00:00+00:00"
HOUR = 3600.0


def flow(**declared: Any) -> FlowDescription:
    """A flow that declares this."""
    return FlowDescription("f.py", "flow", "f", declared=declared)


def fires(*stamps: float) -> dict[str, Any]:
    """Fire times of a deployment, or of a schedule where each stamp gets parameters."""
    return {START: list(stamps)}


def schedule(*stamps: float, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
    """A Prefect 1 schedule."""
    return {"text": "cron 0 6 * * *", "zone": None, "fires": {START: [[stamp, parameters or {}] for stamp in stamps]}}


def deployment(*stamps: float, **more: Any) -> dict[str, Any]:
    """A Prefect 2 deployment."""
    told: dict[str, Any] = {"name": "d", "parameters": {}, "fields": {}, "env": {}, "queue": None, "tags": []}
    return {
        **told,
        "schedules": 1,
        "inactive": 0,
        "zone": None,
        "text": "cron 0 6 * * *",
        "fires": fires(*stamps),
        **more,
    }


def found(v1: FlowDescription, v2: FlowDescription) -> list[tuple[str, str]]:
    """Kind and path of each difference."""
    return [(one.kind, one.path) for one in compare_declared(v1, v2).differences]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (schedule(0.0, HOUR), deployment(0.0, HOUR), []),
        (schedule(0.0, HOUR), deployment(0.0, 2 * HOUR), [("schedule", "schedule[1]")]),
        (schedule(0.0, HOUR), deployment(0.0), [("schedule", "schedule[1]")]),
        (schedule(0.0), deployment(0.0, schedules=1, inactive=1), [("schedule", "schedule")]),
        (schedule(0.0), deployment(schedules=0), [("schedule", "schedule")]),
        (None, deployment(0.0), [("schedule", "schedule")]),
    ],
)
def test_schedules_are_compared_by_their_fire_times(
    old: dict[str, Any] | None, new: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """One difference for a deployment, at the first moment that differs."""
    assert found(flow(schedule=old), flow(deployments=[new])) == expected


def test_a_schedule_without_any_deployment_is_said() -> None:
    """Deployments may be made elsewhere; where the project has others, this one is missing."""
    nothing = compare_declared(flow(schedule=schedule(0.0)), flow(deployments=[]))
    assert nothing.differences == ()
    assert "no deployment of the v2 flow was found" in nothing.uncompared[0]
    assert found(flow(schedule=schedule(0.0)), flow(deployments=[], others=True)) == [("contract", "deployment")]


def test_a_schedule_that_cannot_be_read_is_said() -> None:
    """The engine's own words are kept."""
    told = compare_declared(flow(schedule={"problem": "ValueError: no"}), flow(deployments=[deployment(0.0)]))
    assert told.uncompared == ("schedule: v1 cannot be read: ValueError: no",)


def test_run_configuration_is_compared_where_both_name_it() -> None:
    """Another image and a lost variable are differences; what v1 alone names is said."""
    config = {
        "type": "DockerRun",
        "fields": {"image": "a:1", "memory": "4G"},
        "env": {"A": "1", "B": "2"},
        "labels": [],
    }
    new = deployment(schedules=0, fields={"image": "a:2"}, env={"A": "1"})
    told = compare_declared(flow(run_config=config), flow(deployments=[new]))
    assert [one.path for one in told.differences] == ["run_config.image", "run_config.env.B"]
    assert told.uncompared == ("run configuration: only v1 names memory",)
