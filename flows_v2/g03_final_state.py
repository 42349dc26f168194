"""Invoice validation: an amount or a customer that is not acceptable fails the flow."""

from prefect import flow, task


class LimitExceeded(Exception):
    pass


@task
def normalise_customer(customer):
    name = customer.strip().lower()
    if not name:
        raise KeyError("customer")
    return name


@task
def validate_amount(amount, limit):
    if not amount > 0:  # zero, negative and NaN
        raise ValueError("amount must be positive")
    if amount > limit:
        raise LimitExceeded(f"{amount} is above the limit of {limit}")
    return amount


@task
def post_invoice(customer, amount):
    return {"customer": customer, "amount": amount, "large": amount >= 500}


@task
def audit_entry(customer):
    return f"seen {customer}"


@flow(name="Invoice validation")
def invoice_validation(customer: str = " ACME ", amount: float = 125.0, limit: int = 1000):
    known = normalise_customer.submit(customer)
    accepted = validate_amount.submit(amount, limit)
    posted = post_invoice.submit(known, accepted)
    audited = audit_entry.submit(known)
    # Values, not futures: a dict of futures would be Completed whatever happened to them.
    return {"post_invoice": posted.result(), "audit_entry": audited.result()}
