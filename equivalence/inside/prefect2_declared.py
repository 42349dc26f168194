"""Deployments of a Prefect 2 flow: objects of its module, ``flow.serve(…)`` at module level, and ``prefect.yaml``."""

from __future__ import annotations

import asyncio
import datetime
import os
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple  # noqa: F401 - used in comments

from . import prefect2_releases, schedules
from .faces import text
from .prefect1_declared import FIELDS

FILE = "prefect.yaml"


class Deployments(object):
    """The deployments that are known of the flows of one worker."""

    def __init__(self, root: str, encode: Callable[[Any], Dict[str, Any]]) -> None:
        self._root = root
        self._encode = encode
        self._file = None  # type: Optional[List[Dict[str, Any]]]
        self.problems = []  # type: List[str]
        self.served = []  # type: List[Any]

    def serve(self, *args: Any, **kwargs: Any) -> None:
        """What ``flow.serve(…)`` and ``flow.deploy(…)`` would deploy: deployments given, or made of a flow."""
        self.served += [value for value in args if type(value).__name__ == "RunnerDeployment"]
        flow = args[0] if args and hasattr(args[0], "to_deployment") else None
        names = ("name", "interval", "cron", "rrule", "schedule", "schedules", "parameters", "tags", "paused")
        given = {name: kwargs[name] for name in names if kwargs.get(name) is not None}
        if flow is not None and len(args) > 1 and isinstance(args[1], str):
            given["name"] = args[1]
        if flow is not None and "name" in given:
            deployment = flow.to_deployment(**given)
            deployment.job_variables = kwargs.get("job_variables") or {}
            self.served.append(deployment)

    def of(self, flow: Any, module: Any) -> List[Dict[str, Any]]:
        """The deployments of a flow, as data."""
        found = [self._object(value) for value in self._objects(module) if _flow_name(value) == flow.name]
        function = getattr(flow.fn, "__name__", None)
        names = {name for name, value in vars(module).items() if value is flow} | {function}
        found += [self._entry(entry) for entry, _, name in self._of_file(module) if name in names]
        return found

    def _of_file(self, module: Any) -> Iterator[Tuple[Dict[str, Any], str, str]]:
        """The entries of ``prefect.yaml`` whose entry point is in a file, with its path and name."""
        for entry in self._entries():
            path, _, name = str(entry.get("entrypoint") or "").rpartition(":")
            if path and os.path.realpath(os.path.join(self._root, path)) == os.path.realpath(module.__file__):
                yield entry, path, name

    def any(self) -> bool:
        """Whether this side declares deployments at all."""
        return bool(self._entries())

    def astray(self, module: Any) -> List[str]:
        """Deployments that name a flow of this file which is not in it."""
        told = []
        for entry, path, name in self._of_file(module):
            if not hasattr(module, name):
                told.append(
                    "%s: deployment %r names %s:%s, and %s has no %r"
                    % (FILE, entry.get("name"), path, name, os.path.basename(path), name)
                )
        return told

    # ------------------------------------------------------------------------------------------- objects

    def _objects(self, module: Any) -> List[Any]:
        known = list(vars(module).values()) + self.served
        found = []  # type: List[Any]
        for value in known:
            if type(value).__name__ in ("RunnerDeployment", "Deployment") and value not in found:
                found.append(value)
        return found

    def _object(self, deployment: Any) -> Dict[str, Any]:
        on = getattr(deployment, "is_schedule_active", None) is not False and not getattr(deployment, "paused", False)
        raw = []  # type: List[Any]
        for entry in getattr(deployment, "schedules", None) or ():
            entry = entry if isinstance(entry, dict) else {"schedule": entry.schedule, "active": entry.active}
            raw.append((entry["schedule"], on and entry.get("active") is not False))
        single = getattr(deployment, "schedule", None)
        if single is not None and not raw:
            raw.append((single, on))
        infrastructure = getattr(deployment, "infrastructure", None)
        variables = getattr(deployment, "job_variables", None) or getattr(deployment, "infra_overrides", None) or {}
        return self._told(
            text(deployment.name),
            raw,
            deployment.parameters,
            variables,
            infrastructure,
            getattr(deployment, "work_queue_name", None),
            getattr(deployment, "tags", None) or (),
        )

    # ----------------------------------------------------------------------------------------------- file

    def _entries(self) -> List[Dict[str, Any]]:
        if self._file is None:
            self._file = []
            path = os.path.join(self._root, FILE)
            if os.path.exists(path):
                try:
                    self._file = self._read(path)
                except Exception as error:
                    self.problems.append("%s cannot be read: %s" % (FILE, text(error)))
        return self._file

    def _read(self, path: str) -> List[Dict[str, Any]]:
        import yaml

        with open(path, encoding="utf-8") as file:
            document = yaml.safe_load(file) or {}
        entries = document.get("deployments") if isinstance(document, dict) else None
        if entries is None:
            return []
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ValueError("`deployments` is no list of tables")
        for entry in entries:
            place = str(entry.get("entrypoint") or "").rpartition(":")[0]
            if place and not os.path.exists(os.path.join(self._root, place)):
                self.problems.append(
                    "%s: deployment %r names %s, and there is no such file" % (FILE, entry.get("name"), place)
                )
        return entries

    def _entry(self, entry: Dict[str, Any]) -> Dict[str, Any]:
        given = [entry["schedule"]] if entry.get("schedule") else list(entry.get("schedules") or ())
        raw = [(one, one.get("active") is not False) for one in given if isinstance(one, dict)]
        pool = entry.get("work_pool") or {}
        return self._told(
            text(entry.get("name")),
            raw,
            entry.get("parameters") or {},
            pool.get("job_variables") or {},
            None,
            pool.get("work_queue_name"),
            entry.get("tags") or (),
        )

    # ----------------------------------------------------------------------------------------------- both

    def _told(
        self, name: str, raw: List[Any], parameters: Any, variables: Any, infrastructure: Any, queue: Any, tags: Any
    ) -> Dict[str, Any]:
        parameters = {
            text(key): {"digest": self._encode(value)["digest"], "text": text(repr(value))}
            for key, value in (parameters or {}).items()
        }
        fields = {key: text(variables[key]) for key in FIELDS if variables.get(key) is not None}
        env = dict(variables.get("env") or {})
        if infrastructure is not None:
            for key in FIELDS:
                if getattr(infrastructure, key, None) is not None:
                    fields.setdefault(key, text(getattr(infrastructure, key)))
            env = dict(getattr(infrastructure, "env", None) or {}, **env)
        told = {
            "name": name,
            "parameters": parameters,
            "fields": fields,
            "env": {text(key): text(value) for key, value in env.items()},
            "queue": queue,
            "tags": sorted(text(tag) for tag in tags),
            "schedules": len(raw),
            "inactive": sum(not active for _, active in raw),
        }  # type: Dict[str, Any]
        try:
            built = [_schedule(one) for one, active in raw if active]
            zone = next((one.timezone for one in built if getattr(one, "timezone", None)), None)
            told["zone"] = zone
            told["text"] = ", ".join(_shown(one) for one in built)
            told["fires"] = {start.isoformat(): _fires(built, start) for start in schedules.starts(zone)}
        except Exception as error:
            told["problem"] = "%s: %s" % (type(error).__name__, text(error))
        return told


def _flow_name(deployment: Any) -> Any:
    return getattr(deployment, "flow_name", None)


def _schedule(given: Any) -> Any:
    """The server's schedule, which knows its dates, from the client's or from what ``prefect.yaml`` says."""
    server = prefect2_releases.server("schemas.schedules")

    if not isinstance(given, dict):
        return getattr(server, type(given).__name__).parse_obj(given.dict())
    fields = {key: value for key, value in given.items() if key not in ("active", "slug", "parameters")}
    if "cron" in fields:
        return server.CronSchedule(**fields)
    if "rrule" in fields:
        return server.RRuleSchedule(**fields)
    if "interval" in fields:
        return server.IntervalSchedule(**fields)
    raise ValueError("a schedule needs `cron`, `interval` or `rrule`, and has %s" % (sorted(fields) or "nothing"))


def _shown(schedule: Any) -> str:
    for name in ("cron", "interval", "rrule"):
        value = getattr(schedule, name, None)
        if value is not None:
            return "%s %s" % (name, text(value))
    return type(schedule).__name__


def _fires(built: List[Any], start: datetime.datetime) -> List[Any]:
    import pendulum

    async def dates() -> List[float]:
        found = []  # type: List[float]
        for one in built:
            moments = await one.get_dates(n=schedules.FIRES, start=pendulum.instance(start))
            found.extend(schedules.stamp(moment) for moment in moments)
        return sorted(found)[: schedules.FIRES]

    return asyncio.run(dates())
