"""Month-end close: twenty tasks, mapped accounts, retries, a tolerated branch, money and time zones."""

from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import List, Optional

from prefect import flow, task, unmapped
from prefect.context import get_run_context

CENT = Decimal("0.01")
OFFICE = timezone(timedelta(hours=1), "office")


@task
def resolve_period(period):
    try:
        first = datetime.strptime(period, "%Y-%m").replace(tzinfo=OFFICE)
    except ValueError:
        first = datetime(2024, 1, 1, tzinfo=OFFICE)
    if first.year > 2999:
        raise ValueError("period is in the far future")
    after = (first + timedelta(days=32)).replace(day=1)
    return {"begins": first, "ends": after - timedelta(seconds=1)}


@task
def list_accounts(accounts):
    codes = [account.strip().upper() for account in accounts]
    return [code for code in codes if code][:3]


@task(retries=2, retry_delay_seconds=15 * 60)
def fetch_balance(account, bank_outage):
    # The bank is slow to answer for accounts that begin with B.
    attempt = get_run_context().task_run.run_count
    if account.startswith("B") and attempt <= bank_outage:
        raise ConnectionError(f"bank did not answer, attempt {attempt}")
    return {"account": account, "cents": 100000 + 2500 * len(account)}


@task
def to_euro(balance, rate):
    return (Decimal(balance["cents"]) / 100 * rate).quantize(CENT, rounding=ROUND_HALF_UP)


@task
def read_rate(per_mille):
    if per_mille <= 0:
        raise ValueError(f"exchange rate must be positive: {per_mille}")
    return Decimal(min(per_mille, 100000)) / 1000


@task
def total_balance(amounts):
    return sum(amounts, Decimal("0.00"))


@task
def list_invoices(period):
    return [
        {"number": number, "due": period["begins"] + timedelta(days=9 * number), "cents": 12345 * number}
        for number in range(1, 5)
    ]


@task
def overdue_invoices(invoices, period, grace_days):
    latest = period["ends"] - timedelta(days=max(0, min(grace_days, 60)))
    return [invoice["number"] for invoice in invoices if invoice["due"] < latest]


@task
def accrue_invoices(invoices):
    return Decimal(sum(invoice["cents"] for invoice in invoices)) / 100


@task
def run_payroll(staff):
    return Decimal("3250.50") * max(0, min(staff, 500))


@task
def payroll_tax(payroll):
    return (payroll * Decimal("0.195")).quantize(CENT, rounding=ROUND_HALF_UP)


@task
def adjustments(cents):
    return [Decimal(amount) / 100 for amount in cents[:10]]


@task(retries=1, retry_delay_seconds=2 * 60 * 60)
def post_adjustments(amounts):
    # The ledger is locked while somebody else posts: more than one entry needs a second attempt.
    if len(amounts) > 1 and get_run_context().task_run.run_count == 1:
        raise TimeoutError("ledger is locked")
    return sum(amounts, Decimal("0.00"))


@task
def close_ledger(total, accruals, payroll, tax, adjusted):
    return {"assets": total, "costs": accruals + payroll + tax, "adjusted": adjusted}


@task
def reconcile(ledger, tolerance):
    # A tolerance that is no number accepts nothing.
    difference = ledger["assets"] - ledger["costs"] + ledger["adjusted"]
    return {"difference": difference, "balanced": abs(difference) <= tolerance}


@task
def forecast(total, horizon):
    if horizon <= 0:
        raise ValueError("no horizon to forecast")
    return [total * month for month in range(1, min(horizon, 4) + 1)]


@task
def forecast_chart(values):
    return " ".join(str(value) for value in values)


@task
def attach_appendix(chart):
    return chart if isinstance(chart, str) else "none"


@task
def build_report(period, accounts, reconciled, overdue, appendix):
    return {
        "title": "Close of " + period["begins"].strftime("%Y-%m"),
        "until": period["ends"].astimezone(timezone.utc),
        "accounts": tuple(accounts),
        "overdue": overdue,
        "appendix": appendix,
        **reconciled,
    }


@task
def sign_off(report, approver):
    return {**report, "signed": approver is not None, "by": approver or "pending"}


@flow(name="Month-end close")
def month_end_close(
    period: str = "2024-01",
    accounts: List[str] = ["bank", "stock"],
    bank_outage: int = 1,
    rate_per_mille: int = 1075,
    staff: int = 2,
    adjustment_cents: List[int] = [1250, -400],
    grace_days: int = 4,
    tolerance: float = 10000.0,
    horizon: int = 0,
    approver: Optional[str] = None,
):
    # Everything is submitted: one branch that fails must not keep the others from running.
    month = resolve_period.submit(period)
    codes = list_accounts(accounts)
    rate = read_rate.submit(rate_per_mille)
    balances = fetch_balance.map(codes, unmapped(bank_outage))
    euros = to_euro.map(balances, unmapped(rate))
    total = total_balance.submit(euros)

    invoices = list_invoices.submit(month)
    overdue = overdue_invoices.submit(invoices, month, grace_days)
    accruals = accrue_invoices.submit(invoices)
    payroll = run_payroll.submit(staff)
    tax = payroll_tax.submit(payroll)
    adjusted = post_adjustments.submit(adjustments.submit(adjustment_cents))

    ledger = close_ledger.submit(total, accruals, payroll, tax, adjusted)
    reconciled = reconcile.submit(ledger, tolerance)
    # The forecast may fail. allow_failure does not reach two tasks back: forecast_chart has not failed
    # then, it never ran. So its state is looked at.
    chart = forecast_chart.submit(forecast.submit(total, horizon)).wait()
    appendix = attach_appendix.submit(chart.result() if chart.is_completed() else None)
    report = build_report.submit(month, codes, reconciled, overdue, appendix)
    return sign_off.submit(report, approver)
