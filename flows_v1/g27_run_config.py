"""Image classification runs in a container."""

from prefect import Flow, Parameter, task
from prefect.run_configs import DockerRun


@task
def load_images(count):
    return list(range(max(0, min(count, 6))))


@task
def classify(images):
    return ["cat" if image % 2 else "dog" for image in images]


with Flow(
    "Image classification",
    run_config=DockerRun(image="registry.example/vision:2.4", env={"MODEL": "resnet", "BATCH": "16"}),
) as flow:
    count = Parameter("count", default=3)

    classify(load_images(count))
