"""Courier tours: zip ends with the shorter list; map refuses lists of two lengths."""

from typing import List

from prefect import flow, task


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


@flow(name="Courier tours")
def courier_tours(count: int = 3, couriers: List[str] = ["Ada", "Ben"]):
    pairs = zip(list_parcels(count), list_couriers(couriers))
    tours = [hand_over.submit(parcel, courier) for parcel, courier in pairs]
    return tour_sheet(tours)
