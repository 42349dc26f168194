"""Sensor check: if and else."""

from prefect import flow, task


@task
def read_sensor(raw):
    return raw.strip()


@task
def parse(raw):
    return len(raw)


@task
def use_default():
    return 7


@task
def mark_high(value):
    return "high {}".format(value)


@task
def mark_low(value):
    return "low {}".format(value)


@flow(name="Sensor check")
def sensor_check(raw: str = "12.5 mm", limit: int = 5):
    reading = read_sensor(raw)
    value = parse(reading) if reading else use_default()
    return mark_high(value) if value > limit else mark_low(value)
