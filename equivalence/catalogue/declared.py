"""Rules for what flows declare: G26 to G29."""

from __future__ import annotations

import re
from collections.abc import Callable

from equivalence.catalogue.rule import Evidence, Rule

_CLOCK = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d):(\d\d) UTC")


def _path(kind: str, prefix: str) -> Callable[[Evidence], bool]:
    return lambda evidence: evidence.difference.kind == kind and evidence.difference.path.startswith(prefix)


def _fires(test: Callable[[int, str, str], bool]) -> Callable[[Evidence], bool]:
    """A difference of fire times for which the test holds: minutes apart, and what each side says it is."""

    def recognises(evidence: Evidence) -> bool:
        difference = evidence.difference
        one, other = _CLOCK.search(difference.v1), _CLOCK.search(difference.v2)
        if not _path("schedule", "schedule[")(evidence) or one is None or other is None:
            return False
        minutes = [int(found[2]) * 60 + int(found[3]) for found in (one, other)]
        same_day = one[1] == other[1]
        texts = difference.note.partition("differ: v1 ")[2].partition(", v2 ")
        return test(minutes[1] - minutes[0] if same_day else 24 * 60, texts[0], texts[2])

    return recognises


def _number(text: str) -> str:
    return text.split(" ", 1)[-1]


RULES: tuple[Rule, ...] = (
    Rule(
        "schedule-lost",
        "G26",
        "The flow is not scheduled any more",
        "The Prefect 1 flow has a schedule. The deployment of the Prefect 2 flow has none, or one that is not active.",
        '`flow.to_deployment("name", cron="0 6 * * *")`, or `schedules:` in prefect.yaml, with `active: true`.',
        "Prefect 2 docs: Schedules",
        lambda evidence: (
            evidence.difference.kind == "schedule"
            and evidence.difference.path == "schedule"
            and evidence.difference.v2.startswith("deployment ")
        ),
    ),
    Rule(
        "schedule-parameters",
        "G26",
        "Scheduled runs get other parameters",
        "A Prefect 1 clock has `parameter_defaults` of its own. A Prefect 2 deployment has one set of parameters "
        "for all its schedules.",
        "`to_deployment(parameters={…})`, and one deployment for each set.",
        "Prefect 2 docs: Schedules",
        _path("schedule", "schedule.parameters"),
    ),
    Rule(
        "schedule-anchor",
        "G26",
        "An interval is counted from another moment",
        "Prefect 1 counts an interval from its `start_date`, or from 2019-01-01. Prefect 2 counts from "
        "`anchor_date`, and without one from the moment at which the schedule was made.",
        "`IntervalSchedule(interval=…, anchor_date=` the old `start_date` `)`.",
        "Prefect 2 docs: Schedules",
        _fires(
            lambda apart, old, new: (
                old.startswith("interval") and new.startswith("interval") and _number(old) == _number(new)
            )
        ),
    ),
    Rule(
        "schedule-zone",
        "G26",
        "The schedule goes by another clock",
        "The fire times are some hours apart, at least for a part of the year: the time zone of the Prefect 1 "
        "schedule is that of its `start_date`, a Prefect 2 cron schedule is in UTC unless `timezone` says otherwise.",
        '`CronSchedule(cron="…", timezone="America/New_York")`.',
        "Prefect 2 docs: Schedules",
        _fires(
            lambda apart, old, new: (
                old.startswith("cron") and new.startswith("cron") and apart % 30 == 0 and 0 < abs(apart) <= 14 * 60
            )
        ),
    ),
    Rule(
        "schedule-changed",
        "G26",
        "Other fire times",
        "The next runs of the two schedules are not at the same moments: another expression, another interval, or "
        "a filter of Prefect 1 that has to be part of the expression in Prefect 2.",
        'Fold the filter into the expression: `is_weekday` is `"0 6 * * 1-5"`.',
        "Prefect 2 docs: Schedules",
        lambda evidence: evidence.difference.kind == "schedule",
    ),
    Rule(
        "run-config-image",
        "G27",
        "Another image",
        "The `run_config` of the Prefect 1 flow and the deployment of the Prefect 2 flow name different images.",
        "`job_variables: {image: …}` of the work pool, or `image` of the infrastructure block.",
        "Prefect 2 docs: Work pools",
        _path("contract", "run_config.image"),
    ),
    Rule(
        "run-config-environment",
        "G27",
        "Another environment",
        "A variable of the Prefect 1 `run_config` has another value in the Prefect 2 deployment, or is not there.",
        "`job_variables: {env: {NAME: value}}`.",
        "Prefect 2 docs: Work pools",
        _path("contract", "run_config."),
    ),
    Rule(
        "tags-lost",
        "G28",
        "A task lost a tag",
        "Concurrency limits go by tags. The Prefect 1 task has one that the Prefect 2 task run has not, so a limit "
        "on it does not hold the task back any more.",
        '`@task(tags=["database"])`; `with tags("database"):` around the call.',
        "Prefect 2 docs: Tasks, Task run concurrency",
        lambda evidence: evidence.difference.kind == "contract" and evidence.difference.path.endswith(".tags"),
    ),
    Rule(
        "deployment-parameters",
        "G29",
        "The deployment gives a parameter that the flow does not take",
        "A scheduled run would be refused before it starts: the name of a parameter in the deployment is none of the "
        "flow's.",
        "Write the name of the flow function's argument.",
        "Prefect 2 docs: Deployments",
        _path("contract", "deployment.parameters"),
    ),
    Rule(
        "deployment-missing",
        "G29",
        "No deployment points to the flow",
        "The Prefect 1 flow is scheduled or has a run configuration, and the project deploys other flows. Of this one "
        "there is no deployment, or its entry point names something else.",
        "`entrypoint: flows/orders.py:orders` in prefect.yaml, or `orders.to_deployment(…)`.",
        "Prefect 2 docs: Deployments",
        _path("contract", "deployment"),
    ),
    Rule(
        "declared-otherwise",
        "G06",
        "Retries or a time limit are declared otherwise",
        "The two tasks declare different retries, delays or time limits, and no case put them to the test. They would "
        "behave differently on the first failure, or when the task takes long.",
        "Carry `max_retries`, `retry_delay` and `timeout` over as `retries`, `retry_delay_seconds`, `timeout_seconds`.",
        "Prefect 2 docs: Tasks, Retries",
        lambda evidence: evidence.difference.kind == "contract",
    ),
)
