"""Courier tours: two lists are mapped over together, and the shorter one says how many tours there are."""

from prefect import Flow, Parameter, task


@task
def list_parcels(count):
    return ["parcel-{}".format(number) for number in range(max(0, min(count, 5)))]


@task
def list_couriers(couriers):
    return [courier.strip() or "nobody" for courier in couriers[:4]]


@task
def hand_over(parcel, courier):
    return "{} to {}".format(parcel, courier)


@task
def tour_sheet(tours):
    return "; ".join(tours)


with Flow("Courier tours") as flow:
    count = Parameter("count", default=3)
    couriers = Parameter("couriers", default=["Ada", "Ben"])

    tour_sheet(hand_over.map(list_parcels(count), list_couriers(couriers)))
