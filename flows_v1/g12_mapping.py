"""Scan archive: map over a list, hold one argument, flatten nested results, map over mapped results, reduce."""

from prefect import Flow, Parameter, flatten, task, unmapped


@task
def list_patients(count):
    return ["P{:03d}".format(number) for number in range(max(0, min(count, 5)))]


@task
def list_scans(patient, per_patient):
    return ["{}/{}".format(patient, number) for number in range(max(0, min(per_patient, 3)))]


@task
def anonymise(scan, salt):
    if salt < 0:
        raise ValueError("salt must not be negative")
    return "{:04d}".format((sum(ord(letter) for letter in scan) * 7 + salt) % 10000)


@task
def measure(code):
    return int(code) % 50


@task
def summarise(sizes):
    return {"scans": len(sizes), "largest": max(sizes) if sizes else None}


with Flow("Scan archive") as flow:
    count = Parameter("count", default=3)
    per_patient = Parameter("per_patient", default=2)
    salt = Parameter("salt", default=11)

    scans = list_scans.map(list_patients(count), unmapped(per_patient))
    codes = anonymise.map(flatten(scans), salt=unmapped(salt))
    summarise(measure.map(codes))
