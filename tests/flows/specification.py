from prefect import flow
from prefect.deployments import DeploymentSpec


@flow
def specified(name: str = "world"):
    print(f"Hello, {name}!")


DeploymentSpec(name="example", flow=specified, tags=["a"])
