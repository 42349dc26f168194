"""Rules for caching, context and secrets: G15, G20, G21."""

from __future__ import annotations

import re
from collections.abc import Callable

from equivalence import vocabulary
from equivalence.catalogue.rule import Evidence, Rule, of_result
from equivalence.trace import TaskRun

_DATE = re.compile(r"20\d\d-?[01]\d-?[0-3]\d")


def _cached(run: TaskRun | None) -> bool:
    return run is not None and vocabulary.kind_of_task(run) == vocabulary.CACHED


def _only(side: str, first_value: bool | None = None) -> Callable[[Evidence], bool]:
    """One side took the task's result from the cache and the other ran it."""

    def recognises(evidence: Evidence) -> bool:
        old, new = evidence.runs()
        hits = _cached(old), _cached(new)
        wanted = (True, False) if side == "v1" else (False, True)
        if evidence.difference.kind != "task-state" or hits != wanted:
            return False
        return first_value is None or _same_value(evidence) is first_value

    return recognises


def _same_value(evidence: Evidence) -> bool:
    old, new = evidence.runs()
    if old is None or new is None or old.result is None or new.result is None:
        return False
    return old.result.digest == new.result.digest


def _date(evidence: Evidence) -> bool:
    texts = evidence.difference.v1, evidence.difference.v2
    return all(_DATE.search(text) for text in texts) and _DATE.sub("", texts[0]) == _DATE.sub("", texts[1])


def _secret(evidence: Evidence) -> bool:
    """A secret that one side cannot find or read."""
    difference = evidence.difference
    shown = difference.v1 + difference.v2
    failures = [
        failure.message for trace in (evidence.v1, evidence.v2) for run in trace.tasks for failure in run.failures
    ]
    failures += [trace.exception.message for trace in (evidence.v1, evidence.v2) if trace.exception is not None]
    words = ("Unable to find block document", "Local Secret", "string indices must be integers")
    kinds = ("task-state", "final-state", "exception", "task-missing")
    return difference.kind in kinds and any(word in text for text in (shown, *failures) for word in words)


RULES: tuple[Rule, ...] = (
    Rule(
        "cache-lost",
        "G15",
        "The task runs again where its result was cached",
        "Prefect 1 took the result from the cache. Without a `cache_key_fn`, with a key that changes from run to run, "
        "or with a shorter `cache_expiration` Prefect 2 runs the task again.",
        "`@task(cache_key_fn=…, cache_expiration=timedelta(…), persist_result=True)` with the old duration.",
        "Prefect 2 docs: Tasks, Caching",
        _only("v1"),
    ),
    Rule(
        "cache-key-too-wide",
        "G15",
        "A cached result answers for other inputs",
        "Prefect 2 asks for the key alone: a `cache_key_fn` that leaves an input out gives one result for all values "
        "of it. The Prefect 1 validator compared the inputs, and ran the task again.",
        "`cache_key_fn=task_input_hash`, or put the inputs into the key.",
        "Prefect 2 docs: Tasks, Caching",
        _only("v2", False),
    ),
    Rule(
        "cache-kept-longer",
        "G15",
        "A cached result is used longer",
        "Prefect 2 takes the result from the cache after Prefect 1's `cache_for` is over. Without `cache_expiration`, "
        "and with `timedelta(0)`, it never expires.",
        "`cache_expiration=` the timedelta of `cache_for`.",
        "Prefect 2 docs: Tasks, Caching",
        _only("v2"),
    ),
    Rule(
        "date-of-the-context",
        "G20",
        "Another date is read from the clock",
        "Prefect 1's context has dates in UTC (`date`, `today`, `yesterday`), all of the start of the run. The new "
        "code takes another day, or another zone.",
        '`pendulum.now("UTC")`, or `prefect.runtime.flow_run.scheduled_start_time`.',
        "Prefect 1 docs: Context",
        of_result(_date),
    ),
    Rule(
        "secret-missing",
        "G21",
        "A secret is not there, or cannot be read",
        "Prefect 1 finds a Secret by its name and reads JSON into a dict; a Prefect 2 Secret block has a name of "
        "lower-case letters and dashes and holds text alone.",
        '`Secret.load("api-key").get()` for `API_KEY`, `json.loads(…)` around what was a dict.',
        "Prefect 2 docs: Blocks",
        _secret,
    ),
)
