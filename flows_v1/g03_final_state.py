"""Invoice validation: an amount or a customer that is not acceptable fails the flow."""

from prefect import Flow, Parameter, task


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
        raise LimitExceeded("{} is above the limit of {}".format(amount, limit))
    return amount


@task
def post_invoice(customer, amount):
    return {"customer": customer, "amount": amount, "large": amount >= 500}


@task
def audit_entry(customer):
    return "seen {}".format(customer)


with Flow("Invoice validation") as flow:
    customer = Parameter("customer", default=" ACME ")
    amount = Parameter("amount", default=125.0)
    limit = Parameter("limit", default=1000)

    known = normalise_customer(customer)
    accepted = validate_amount(amount, limit)
    post_invoice(known, accepted)
    audit_entry(known)
