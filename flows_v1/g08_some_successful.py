"""Weather forecast from several models: some must deliver, one failure is no failure of the forecast."""

from prefect import Flow, Parameter, task, unmapped
from prefect.triggers import some_successful


@task
def list_models(count):
    return ["model-{}".format(number) for number in range(max(1, min(count, 6)))]


@task
def run_model(name, broken):
    if name.endswith(tuple(str(number) for number in broken[:6] if number >= 0)):
        raise RuntimeError("{} did not converge".format(name))
    return {"model": name, "temperature": 10 + len(name)}


@task(trigger=some_successful(at_least=2))
def combine(forecasts):
    good = [forecast for forecast in forecasts if isinstance(forecast, dict)]
    return {"models": len(good), "temperature": sum(forecast["temperature"] for forecast in good) / len(good)}


@task
def publish(forecast):
    return "{models} models: {temperature:.1f}".format(**forecast)


with Flow("Forecast") as flow:
    count = Parameter("count", default=4)
    broken = Parameter("broken", default=[1])

    forecasts = run_model.map(list_models(count), unmapped(broken))
    publish(combine(forecasts))
