"""Image classification: the deployment says image and environment."""

from prefect import flow, task
from prefect.deployments.runner import RunnerDeployment


@task
def load_images(count):
    return list(range(max(0, min(count, 6))))


@task
def classify(images):
    return ["cat" if image % 2 else "dog" for image in images]


@flow(name="Image classification")
def image_classification(count: int = 3):
    return classify(load_images(count))


in_a_container = RunnerDeployment.from_flow(
    image_classification,
    name="in a container",
    work_pool_name="docker",
    job_variables={"image": "registry.example/vision:2.4", "env": {"MODEL": "resnet", "BATCH": "16"}},
)
