"""Scan archive: map over a list, hold one argument, flatten by a comprehension, map over futures, reduce."""

from prefect import flow, task, unmapped


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


@flow(name="Scan archive")
def scan_archive(count: int = 3, per_patient: int = 2, salt: int = 11):
    patients = list_patients(count)
    scans = [list_scans.submit(patient, per_patient) for patient in patients]
    flat = [scan for future in scans for scan in future.result()]
    codes = anonymise.map(flat, salt=unmapped(salt))
    return summarise(measure.map(codes))
