"""Planted bugs: small named edits of portfolio flows, each a mistake people make while migrating.

Every edit was run on both engines: ``why`` names the mistake and, last, parameters that reveal it
(all others at their defaults). They tell a reader what to expect; the search for the bug never sees them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlantedBug:
    """One edit of one portfolio file and the kind of finding it has to lead to.

    ``examples`` is the number of cases the search gets: few where the defaults show the bug. ``parameters`` is the
    largest acceptable number of parameters in the smallest case, ``smallest`` that case where only one is right.
    ``rule`` is the rule of the catalogue that has to explain it, None for a bug that is in no engine's nature.
    """

    name: str
    file: str
    old: str
    new: str
    kind: str
    task: str | None
    path_hint: str | None
    why: str
    examples: int = 2
    parameters: int = 0
    smallest: str | None = None
    rule: str | None = None


def apply(bug: PlantedBug, source: str) -> str:
    """Return ``source`` with the bug planted; the place must exist exactly once."""
    count = source.count(bug.old)
    if count != 1:
        raise ValueError(
            f"planted bug {bug.name}: its text must be in {bug.file} once, found it {count} times"
        )
    return source.replace(bug.old, bug.new)


PLANTED: tuple[PlantedBug, ...] = (
    # Parameters
    PlantedBug(
        "default-lost",
        "flows_v2/parameters_and_types.py",
        '    name: str = "Spring Sale",\n',
        "    name: str,\n",
        "parameter",
        None,
        "name",
        "The default was not carried over: a run without it is refused. Revealed by: the signatures, {}.",
    ),
    PlantedBug(
        "default-changed",
        "flows_v2/parameters_and_types.py",
        "priority: int = 3,",
        "priority: int = 2,",
        "parameter",
        None,
        "priority",
        "Another default: the campaign is no longer urgent by itself. Revealed by: the signatures, {}.",
    ),
    PlantedBug(
        "parameter-renamed",
        "flows_v2/orders_etl.py",
        "minimum: int = 0, rate: float = 1.1):",
        "min_amount: int = 0, rate: float = 1.1):\n    minimum = min_amount",
        "parameter",
        None,
        "minimum",
        "Renamed while cleaning up: callers that give the old name are refused. Revealed by: the signatures.",
    ),
    PlantedBug(
        "annotation-narrowed",
        "flows_v2/failing_flow.py",
        "amount: float = 125.0",
        "amount: int = 125",
        "parameter",
        None,
        "amount",
        "int where Prefect 1 took a float: 125.5 is refused, 125.0 is 125. Revealed by: the signatures, {}.",
    ),
    PlantedBug(
        "optional-lost",
        "flows_v2/parameters_and_types.py",
        "owner: Optional[str] = None,",
        "owner: str = None,",
        "parameter",
        None,
        "owner",
        "pydantic refuses the flow's own default None when the annotation is str. Revealed by: {}.",
    ),
    # Final state
    PlantedBug(
        "dict-of-futures",
        "flows_v2/failing_flow.py",
        'return {"post_invoice": posted.result(), "audit_entry": audited.result()}',
        'return {"post_invoice": posted, "audit_entry": audited}',
        "final-state",
        None,
        None,
        "States inside a dict are not looked at: the flow is Completed though a task failed. "
        "Revealed by: amount=0.0, or customer=''.",
    ),
    PlantedBug(
        "exception-swallowed",
        "flows_v2/orders_etl.py",
        "    converted = convert_amounts(kept, rate)\n",
        "    try:\n"
        "        converted = convert_amounts(kept, rate)\n"
        "    except ValueError:\n"
        "        return {}\n",
        "final-state",
        None,
        None,
        "The failure is caught and something is returned: Completed. Revealed by: rate=0.0, or rate=nan.",
    ),
    PlantedBug(
        "none-returned",
        "flows_v2/reference_tasks.py",
        "    return removed\n",
        "    return None\n",
        "final-state",
        None,
        None,
        "A flow that returns nothing is judged by all its task runs, so the notification counts now. "
        "Revealed by: channel=None.",
    ),
    PlantedBug(
        "reference-task-lost",
        "flows_v2/reference_tasks.py",
        "        published = publish(snapshot)\n",
        "        published = publish(snapshot, return_state=True)\n",
        "final-state",
        None,
        None,
        "The state that decides is not looked at: Completed by the clean-up's value. Revealed by: rows=0.",
    ),
    PlantedBug(
        "only-one-future-returned",
        "flows_v2/retries_exhausted.py",
        "    return report, usage\n",
        "    return usage\n",
        "final-state",
        None,
        None,
        "Only the branch that went well is returned, the copy that gave up is forgotten. Revealed by: {}.",
    ),
    PlantedBug(
        "optional-branch-counts",
        "flows_v2/month_end_close.py",
        "appendix = attach_appendix.submit(chart.result() if chart.is_completed() else None)",
        "appendix = attach_appendix.submit(chart.result())",
        "final-state",
        None,
        None,
        "The forecast that may fail takes the close with it: its result raises in the flow. Revealed by: {}.",
    ),
    # Result of the flow
    PlantedBug(
        "wrong-value-returned",
        "flows_v2/orders_etl.py",
        "    return load_totals(totals)\n",
        "    load_totals(totals)\n    return totals\n",
        "result",
        None,
        "result",
        "Every task is right, but the flow returns what went into the last one. Revealed by: {}.",
    ),
    PlantedBug(
        "two-results-swapped",
        "flows_v2/mapping_one_child_fails.py",
        "    return report, series\n",
        "    return series, report\n",
        "result",
        None,
        "result",
        "The outputs come in another order than the terminal tasks. Revealed by: readings=[].",
    ),
    # Exceptions
    PlantedBug(
        "exception-class-changed",
        "flows_v2/failing_flow.py",
        'raise KeyError("customer")',
        'raise ValueError("customer")',
        "exception",
        "normalise_customer",
        "tasks.normalise_customer.exception",
        "Whoever catches KeyError misses it. Revealed by: customer=''.",
    ),
    PlantedBug(
        "exception-message-changed",
        "flows_v2/mapping_one_child_fails.py",
        'f"negative reading: {reading}"',
        'f"bad reading: {reading}"',
        "exception",
        "calibrate",
        "tasks.calibrate[2].exception",
        "An alert that looks for the text is silent. Revealed by: {}, or readings=[-1].",
    ),
    # States of tasks
    PlantedBug(
        "failure-becomes-none",
        "flows_v2/mapping_one_child_fails.py",
        '        raise ValueError(f"negative reading: {reading}")\n',
        "        return None\n",
        "task-state",
        "calibrate",
        "tasks.calibrate[2].state",
        "The task returns None instead of failing. Revealed by: {}, or readings=[-1].",
    ),
    PlantedBug(
        "trigger-lost",
        "flows_v2/mapping_one_child_fails.py",
        "quality_report.submit(allow_failure(calibrated))",
        "quality_report.submit(calibrated)",
        "task-state",
        "quality_report",
        "tasks.quality_report.state",
        "all_finished was not carried over: one bad reading and the report does not run. "
        "Revealed by: {}, or readings=[-1].",
    ),
    PlantedBug(
        "boundary-zero-refused",
        "flows_v2/reference_tasks.py",
        "if rows < 0:",
        "if rows <= 0:",
        "task-state",
        "take_snapshot",
        "tasks.take_snapshot.state",
        "< became <=. Revealed only by: rows=0.",
    ),
    # Results of tasks
    PlantedBug(
        "total-not-added-up",
        "flows_v2/orders_etl.py",
        'totals[day] = totals.get(day, 0.0) + order["amount"]',
        'totals[day] = order["amount"]',
        "task-result",
        "total_by_day",
        "tasks.total_by_day.result",
        "Keeps the last order of a day, not their sum. Revealed by: {}, not by count=2.",
    ),
    PlantedBug(
        "boundary-minimum",
        "flows_v2/orders_etl.py",
        'order["amount"] >= minimum',
        'order["amount"] > minimum',
        "task-result",
        "clean_orders",
        "tasks.clean_orders.result",
        ">= became >. Revealed only by a minimum that is an amount, such as: minimum=-5, minimum=5.",
    ),
    PlantedBug(
        "int-becomes-float",
        "flows_v2/orders_etl.py",
        '"amount": (number * 37) % 101 - 5,',
        '"amount": float((number * 37) % 101 - 5),',
        "task-result",
        "extract_orders",
        "tasks.extract_orders.result[0].amount",
        "32 and 32.0 are equal to Python, not to a database. Revealed by: {}, count=1.",
    ),
    PlantedBug(
        "tuple-becomes-list",
        "flows_v2/retries_recover.py",
        'tuple(part.strip() for part in line.split(","))',
        '[part.strip() for part in line.split(",")]',
        "task-result",
        "parse_feed",
        "tasks.parse_feed.result[0]",
        "A list is no key of a dict. Revealed by: {}, or any line that is not blank.",
    ),
    PlantedBug(
        "decimal-becomes-float",
        "flows_v2/shift_report.py",
        '"money": (sales, bonus),',
        '"money": (float(sales), float(bonus)),',
        "task-result",
        "write_report",
        "tasks.write_report.result.money[0]",
        "Made ready for JSON: money is a binary fraction now. Revealed by: {}.",
    ),
    PlantedBug(
        "time-zone-lost",
        "flows_v2/shift_report.py",
        "datetime(2024, 3, 31, 6, 0, tzinfo=zone)",
        "datetime(2024, 3, 31, 6, 0)",
        "task-result",
        "shift_times",
        "tasks.shift_times.result[0]",
        "The shift begins at 6:00 of no zone. Revealed by: {}.",
    ),
    PlantedBug(
        "time-zone-not-converted",
        "flows_v2/month_end_close.py",
        'period["ends"].astimezone(timezone.utc)',
        'period["ends"]',
        "task-result",
        "build_report",
        "tasks.build_report.result.until",
        "The same instant, written with the office's offset instead of UTC. Revealed by: {}.",
    ),
    PlantedBug(
        "lower-forgotten",
        "flows_v2/failing_flow.py",
        "customer.strip().lower()",
        "customer.strip()",
        "task-result",
        "normalise_customer",
        "tasks.normalise_customer.result",
        "Two customers where there was one. Revealed by: {}, customer='A'.",
    ),
    PlantedBug(
        "strip-forgotten",
        "flows_v2/retries_exhausted.py",
        "table.strip().lower()",
        "table.lower()",
        "task-result",
        "open_table",
        "tasks.open_table.result",
        "Not revealed by the default. Revealed by white space at an end: table=' '.",
    ),
    PlantedBug(
        "empty-is-none",
        "flows_v2/parameters_and_types.py",
        '"nobody" if owner is None else owner,',
        'owner or "nobody",',
        "task-result",
        "pick_channels",
        "tasks.pick_channels.result.owner",
        "Truth instead of 'is None'. Revealed only by: owner=''.",
    ),
    PlantedBug(
        "order-sorted-away",
        "flows_v2/parameters_and_types.py",
        "list(dict.fromkeys(channel for channel in cleaned if channel))",
        "sorted({channel for channel in cleaned if channel})",
        "task-result",
        "pick_channels",
        "tasks.pick_channels.result.channels",
        "A set and sorted() drop duplicates, and the user's order. Revealed by: channels=['b', 'a'].",
    ),
    PlantedBug(
        "mapped-results-reversed",
        "flows_v2/async_fetch.py",
        "merge_pages.submit(fetched)",
        "merge_pages.submit(fetched[::-1])",
        "task-result",
        "merge_pages",
        "tasks.merge_pages.result[0]",
        "Gathered in the order of completion, here the reverse. Revealed by: {}, not by pages=1.",
    ),
    PlantedBug(
        "mapped-children-sorted",
        "flows_v2/mapping_one_child_fails.py",
        "calibrate.map(collected, unmapped(offsets))",
        "calibrate.map(sorted(collected), unmapped(offsets))",
        "task-result",
        "calibrate",
        "tasks.calibrate[0].result",
        "Child n works on another reading. Revealed by: readings=[1, 0], and {} by its states too.",
    ),
    # Which tasks run
    PlantedBug(
        "task-called-as-function",
        "flows_v2/shift_report.py",
        "worked = hours_worked(times, break_minutes)",
        "worked = hours_worked.fn(times, break_minutes)",
        "task-missing",
        "hours_worked",
        "tasks.hours_worked",
        "The value is right, but there is no task run: no retries, no state. Revealed by: {}.",
    ),
    PlantedBug(
        "clean-up-lost",
        "flows_v2/reference_tasks.py",
        "    finally:\n        removed = remove_workspace(workspace)\n",
        "    except LookupError:\n        raise\n    removed = remove_workspace(workspace)\n",
        "task-missing",
        "remove_workspace",
        "tasks.remove_workspace",
        "The clean-up runs only when all went well. Revealed by: rows=0, rows=-1.",
    ),
    PlantedBug(
        "branch-cut-off",
        "flows_v2/retries_exhausted.py",
        "copied = copy_table.submit(opened, failures)",
        "copied = copy_table(opened, failures)",
        "task-missing",
        "write_usage",
        "tasks.write_usage",
        "A call raises at the first failure: the branch beside it does not run. Revealed by: {}, failures=3.",
    ),
    PlantedBug(
        "unmapped-forgotten",
        "flows_v2/mapping_one_child_fails.py",
        "calibrate.map(collected, unmapped(offsets))",
        "calibrate.map(collected, offsets)",
        "task-missing",
        "calibrate",
        "tasks.calibrate[0]",
        "The list is mapped along with the readings, which needs equal lengths. Revealed by: {}.",
    ),
    PlantedBug(
        "task-called-twice",
        "flows_v2/orders_etl.py",
        "kept = clean_orders(orders, minimum)",
        "kept = clean_orders(extract_orders(count, region), minimum)",
        "task-extra",
        "extract_orders",
        "tasks.extract_orders",
        "The orders are read twice from the source. Revealed by: {}.",
    ),
    PlantedBug(
        "task-added",
        "flows_v2/retries_recover.py",
        "    return store_rows(rows)\n",
        "    task(lambda found: len(found), name='count_rows')(rows)\n    return store_rows(rows)\n",
        "task-extra",
        "count_rows",
        "tasks.count_rows",
        "A task that Prefect 1 never had. Revealed by: {}.",
    ),
    # Retries
    PlantedBug(
        "retries-count-attempts",
        "flows_v2/retries_exhausted.py",
        "@task(retries=2, retry_delay_seconds=600)",
        "@task(retries=3, retry_delay_seconds=600)",
        "retry-count",
        "copy_table",
        "tasks.copy_table.attempts",
        "Taken for the number of attempts: one too many. Revealed by: {}, any failures of 3 and more.",
    ),
    PlantedBug(
        "retries-one-too-few",
        "flows_v2/retries_recover.py",
        "@task(retries=3, retry_delay_seconds=5 * 60)",
        "@task(retries=2, retry_delay_seconds=5 * 60)",
        "retry-count",
        "download_feed",
        "tasks.download_feed.attempts",
        "Not revealed by the default of two outages. Revealed by: outages=3 and more.",
    ),
    PlantedBug(
        "retries-lost",
        "flows_v2/retries_recover.py",
        "@task(retries=1, retry_delay_seconds=60 * 60)",
        "@task",
        "retry-count",
        "store_rows",
        "tasks.store_rows.attempts",
        "max_retries was not carried over. Revealed by: {}, any line that is not blank.",
    ),
    PlantedBug(
        "retries-on-the-flow-too",
        "flows_v2/retries_exhausted.py",
        '@flow(name="Warehouse copy")',
        '@flow(name="Warehouse copy", retries=1)',
        "retry-count",
        "copy_table",
        "tasks.copy_table.attempts",
        "The flow runs again, and with it the retries of its failed tasks. Revealed by: {}, failures=3.",
    ),
    PlantedBug(
        "delay-in-minutes",
        "flows_v2/retries_recover.py",
        "@task(retries=3, retry_delay_seconds=5 * 60)",
        "@task(retries=3, retry_delay_seconds=5)",
        "retry-delay",
        "download_feed",
        "tasks.download_feed.delays[0]",
        "timedelta(minutes=5) became 5 seconds. Revealed by: {}, outages=1.",
    ),
    PlantedBug(
        "delay-lost",
        "flows_v2/async_fetch.py",
        "@task(retries=1, retry_delay_seconds=30)",
        "@task(retries=1)",
        "retry-delay",
        "fetch_page",
        "tasks.fetch_page[2].delays[0]",
        "Retried at once. Revealed by a page that retries: {}, first=0.",
    ),
    PlantedBug(
        "delay-list-grows",
        "flows_v2/retries_exhausted.py",
        "@task(retries=2, retry_delay_seconds=600)",
        "@task(retries=2, retry_delay_seconds=[600, 1200])",
        "retry-delay",
        "copy_table",
        "tasks.copy_table.delays[1]",
        "A list that begins right; the second delay differs. Revealed by: {}, failures of 2 and more.",
    ),
    PlantedBug(
        "delay-list-too-short",
        "flows_v2/retries_recover.py",
        "@task(retries=3, retry_delay_seconds=5 * 60)",
        "@task(retries=3, retry_delay_seconds=[5 * 60, 60])",
        "retry-delay",
        "download_feed",
        "tasks.download_feed.delays[1]",
        "The list ends early and its last delay, a minute, serves for the rest. Revealed by: {}, outages=2.",
    ),
    PlantedBug(
        "delay-changed-in-v1",
        "flows_v1/async_fetch.py",
        "@task(max_retries=1, retry_delay=timedelta(seconds=30))",
        "@task(max_retries=1, retry_delay=timedelta(minutes=30))",
        "retry-delay",
        "fetch_page",
        "tasks.fetch_page[2].delays[0]",
        "The old flow was changed after the migration. Revealed by a page that retries: {}, first=0.",
    ),
)
