"""Rules for caching, context and secrets: G15, G20, G21."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from equivalence import vocabulary
from equivalence.catalogue.rule import Evidence, Rule, of_result
from equivalence.trace import TaskRun

_DATE = re.compile(r"(20\d\d)-?([01]\d)-?([0-3]\d)")
_MOMENT = re.compile(r"20\d\d-[01]\d-[0-3]\d[T ][0-2]\d:[0-5]\d(:[0-5]\d)?")


def _cached(run: TaskRun | None) -> bool:
    return run is not None and vocabulary.kind_of_task(run) == vocabulary.CACHED


def _hit(side: str, also: Callable[[TaskRun, TaskRun], bool]) -> Callable[[Evidence], bool]:
    """One side alone took the task's result from the cache, and the other ran it."""

    def recognises(evidence: Evidence) -> bool:
        old, new = evidence.runs()
        if evidence.difference.kind != "task-state" or old is None or new is None:
            return False
        return (_cached(old), _cached(new)) == (side == "v1", side == "v2") and also(old, new)

    return recognises


def _of_target(old: TaskRun, new: TaskRun) -> bool:
    """1.4.1 engine/task_runner.py."""
    return old.final is not None and old.final.message.startswith("Result found at task target")


def _other_value(old: TaskRun, new: TaskRun) -> bool:
    return old.result is None or new.result is None or old.result.digest != new.result.digest


def _never_cached(old: TaskRun, new: TaskRun) -> bool:
    """A Prefect 1 task with ``cache_for`` ends in Cached also when it ran."""
    return old.final is not None and old.final.type == "Success"


def _other_date(evidence: Evidence) -> timedelta | None:
    """How far two texts are apart that differ in a date alone."""
    texts = evidence.difference.v1, evidence.difference.v2
    found = [_DATE.search(text) for text in texts]
    if found[0] is None or found[1] is None or _DATE.sub("", texts[0]) != _DATE.sub("", texts[1]):
        return None
    try:
        old, new = (datetime(int(one[1]), int(one[2]), int(one[3])) for one in found if one is not None)
    except ValueError:
        return None
    return new - old


def _of_import(evidence: Evidence) -> bool:
    """Days apart: cases begin on one and the same day, and flow files are loaded today."""
    apart = _other_date(evidence)
    return apart is not None and abs(apart) > timedelta(days=40)


def _other_zone(evidence: Evidence) -> bool:
    """Two times that differ by some quarters of an hour, as zones do."""
    if evidence.difference.v1.startswith("datetime("):
        return False  # no text but a time that knows its zone, or none
    found = [_MOMENT.search(text) for text in (evidence.difference.v1, evidence.difference.v2)]
    if found[0] is None or found[1] is None:
        return False
    old, new = (datetime.fromisoformat(one[0].replace(" ", "T")) for one in found if one is not None)
    apart = abs(new - old)
    return timedelta() < apart <= timedelta(hours=14) and apart % timedelta(minutes=15) == timedelta()


def _absent(evidence: Evidence) -> bool:
    """Prefect 2 has no block of the name, and the flow or a task failed for it."""
    kinds = ("task-state", "final-state", "exception", "task-missing")
    failures = [failure.message for run in evidence.v2.tasks for failure in run.failures]
    failures += [evidence.v2.exception.message] if evidence.v2.exception is not None else []
    return evidence.difference.kind in kinds and any("Unable to find block document" in one for one in failures)


def _text_for_table(evidence: Evidence) -> bool:
    """A secret that is a dict in Prefect 1 and its JSON in Prefect 2."""
    difference = evidence.difference
    _, new = evidence.runs()
    failures = [failure.message for failure in new.failures] if new is not None else []
    indexed = any("string indices must be" in one or "must be a mapping, not str" in one for one in failures)
    shown = difference.v1.startswith("{") and difference.v2.strip("'\"").startswith(("{", "<secret "))
    return indexed or (difference.kind in ("result", "task-result") and shown)


RULES: tuple[Rule, ...] = (
    Rule(
        "target-lost",
        "G15",
        "The task runs although its target is there",
        "Prefect 1 does not run a task whose `target` exists. `result_storage_key` only names the file in Prefect 2: "
        "what keeps a task from running is its cache key.",
        '`@task(cache_key_fn=lambda context, parameters: "{day}.json".format(**parameters), persist_result=True)`: the '
        "template of the target is the key.",
        "Prefect 2 docs: Tasks, Caching",
        _hit("v1", lambda old, new: _of_target(old, new) and not new.caches),
    ),
    Rule(
        "cache-lost",
        "G15",
        "The task runs again where its result was cached",
        "Prefect 1 took the result from the cache, since the task declares `cache_for`. The Prefect 2 task has no "
        "`cache_key_fn`, without which nothing is cached.",
        "`@task(cache_key_fn=task_input_hash, cache_expiration=timedelta(…), persist_result=True)`, with the duration "
        "of `cache_for`.",
        "Prefect 2 docs: Tasks, Caching",
        _hit("v1", lambda old, new: not new.caches),
    ),
    Rule(
        "cache-missed",
        "G15",
        "The cached result is not found any more",
        "Prefect 1 took the result from the cache. The Prefect 2 task caches as well, but expires sooner, or makes its "
        "key of more than the validator asked for: `duration_only`, the default of Prefect 1, does not ask for inputs.",
        "`cache_expiration=` the timedelta of `cache_for`; for `duration_only` a key that is always the same: "
        '`cache_key_fn=lambda context, parameters: "load"`.',
        "Prefect 2 docs: Tasks, Caching",
        _hit("v1", lambda old, new: True),
    ),
    Rule(
        "cache-key-too-wide",
        "G15",
        "A cached result answers for other inputs",
        "Prefect 2 asks for the key alone: a `cache_key_fn` that leaves an input out, or that two tasks share, gives "
        "one result for all. Prefect 1 compared the inputs, or the target, and ran the task again.",
        "`cache_key_fn=task_input_hash`, or put the inputs and the task's name into the key.",
        "Prefect 2 docs: Tasks, Caching",
        _hit("v2", _other_value),
    ),
    Rule(
        "cache-added",
        "G15",
        "The task is cached where it always ran",
        "The Prefect 1 task has no `cache_for` and ran every time. The Prefect 2 task has a cache key and gives its "
        "earlier result, also where what it reads has changed.",
        "Leave `cache_key_fn` out.",
        "Prefect 2 docs: Tasks, Caching",
        _hit("v2", _never_cached),
    ),
    Rule(
        "cache-kept-longer",
        "G15",
        "A cached result is used longer",
        "Prefect 2 takes the result from the cache after Prefect 1's `cache_for` is over. Without `cache_expiration`, "
        "and with `timedelta(0)`, it never expires.",
        "`cache_expiration=` the timedelta of `cache_for`; for `timedelta(0)` no `cache_key_fn` at all.",
        "Prefect 2 docs: Tasks, Caching",
        _hit("v2", lambda old, new: True),
    ),
    Rule(
        "date-of-import",
        "G20",
        "The date is that of the day the file was loaded",
        "The date was read when the flow's file was loaded, at module level or as a default of a parameter, and stays "
        "the same for as long as the process lives. Prefect 1's context has the date of the run.",
        'Read it in the task: `pendulum.now("UTC")`, or `prefect.runtime.flow_run.scheduled_start_time`.',
        "Prefect 1 docs: Context",
        of_result(_of_import),
    ),
    Rule(
        "date-of-the-context",
        "G20",
        "Another date is read from the clock",
        "Prefect 1's context has dates in UTC (`date`, `today`, `yesterday`), all of the start of the run. The new "
        "code takes another day, or the day of another zone.",
        '`pendulum.now("UTC")`, or `prefect.runtime.flow_run.scheduled_start_time`.',
        "Prefect 1 docs: Context",
        of_result(lambda evidence: _other_date(evidence) is not None),
    ),
    Rule(
        "time-of-another-zone",
        "G20",
        "The same moment in another zone",
        "Times of Prefect 1's context are in UTC. The new code writes the time of a zone, that of the machine for "
        "instance: `datetime.now()` and `pendulum.now()` without a zone are local.",
        '`pendulum.now("UTC")`, or `prefect.runtime.flow_run.scheduled_start_time`.',
        "Prefect 1 docs: Context",
        of_result(_other_zone),
    ),
    Rule(
        "secret-missing",
        "G21",
        "There is no block of that name",
        "Prefect 2 loads a Secret by the name of its block: lower-case letters, digits and dashes. The secret "
        "`API_KEY` of the configuration is the block `api-key` and the variable `api_key`.",
        '`Secret.load("api-key").get()`. What only the new flow asks for is given a value by `secrets = { … }` in '
        "`[tool.equivalence.environment]`.",
        "Prefect 2 docs: Blocks",
        _absent,
    ),
    Rule(
        "secret-as-text",
        "G21",
        "A secret is text where it was a dict",
        "Prefect 1 reads a secret as JSON: `Secret.get()` gives a dict, a list or a number. A Secret block of "
        "Prefect 2, and a variable, give the text.",
        '`json.loads(Secret.load("api-key").get())`, or a `JSON` block.',
        "Prefect 2 docs: Blocks",
        _text_for_table,
    ),
)
