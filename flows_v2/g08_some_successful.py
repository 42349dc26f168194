"""Weather forecast from several models: some must deliver, one failure is no failure of the forecast."""

from typing import List

from prefect import allow_failure, flow, task, unmapped


@task
def list_models(count):
    return ["model-{}".format(number) for number in range(max(1, min(count, 6)))]


@task
def run_model(name, broken):
    if name.endswith(tuple(str(number) for number in broken[:6] if number >= 0)):
        raise RuntimeError("{} did not converge".format(name))
    return {"model": name, "temperature": 10 + len(name)}


@task
def combine(forecasts):
    good = [forecast for forecast in forecasts if isinstance(forecast, dict)]
    return {"models": len(good), "temperature": sum(forecast["temperature"] for forecast in good) / len(good)}


@task
def publish(forecast):
    return "{models} models: {temperature:.1f}".format(**forecast)


@flow(name="Forecast")
def forecast(count: int = 4, broken: List[int] = [1]):
    forecasts = run_model.map(list_models(count), unmapped(broken))
    good = [future.wait().is_completed() for future in forecasts]
    if sum(good) < 2:
        raise RuntimeError("too few models delivered")
    return publish(combine(allow_failure(forecasts)))
