"""Campaign plan: one parameter of every common type, and behaviour that depends on each of them."""

from datetime import datetime, timedelta
from typing import List, Optional

from prefect import flow, task


@task
def clean_name(name):
    return name.strip().lower() or "unnamed"


@task
def pick_channels(channels, owner):
    cleaned = [channel.strip().lower() for channel in channels[:10]]
    chosen = list(dict.fromkeys(channel for channel in cleaned if channel))
    # An owner of "" is a campaign that lost its owner, None is one that never had any.
    return {"owner": "nobody" if owner is None else owner, "channels": chosen}


@task
def plan_days(start, days):
    try:
        first = datetime.strptime(start, "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        first = datetime(2024, 1, 1)  # no usable start: from the beginning of the year
    return [first + timedelta(days=offset) for offset in range(max(0, min(days, 14)))]


@task
def daily_budget(budget, days):
    return round(budget / len(days), 2) if days else 0.0


@task
def book_campaign(name, channels, days, per_day, priority, dry_run):
    return {
        "name": name,
        "owner": channels["owner"],
        "slots": [(channel, day.date()) for channel in channels["channels"] for day in days],
        "per_day": per_day,
        "urgent": priority >= 3,
        "status": "planned" if dry_run else "booked",
    }


@flow(name="Campaign plan")
def campaign_plan(
    name: str = "Spring Sale",
    budget: float = 1500.0,
    days: int = 3,
    # A string as in Prefect 1: annotated as datetime it would refuse what cannot be read.
    start: str = "2024-03-01T09:30:00",
    channels: List[str] = ["Mail", "web", "mail "],
    owner: Optional[str] = None,
    priority: int = 3,
    dry_run: bool = False,
):
    campaign = clean_name(name)
    chosen = pick_channels(channels, owner)
    planned = plan_days(start, days)
    per_day = daily_budget(budget, planned)
    return book_campaign(campaign, chosen, planned, per_day, priority, dry_run)
