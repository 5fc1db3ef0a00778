from prefect import flow
from prefect.deployments import DeploymentSpec
from prefect.flow_runners import DockerFlowRunner


@flow
def my_flow():
    print("Hello from Docker!")


DeploymentSpec(name="example", flow=my_flow, flow_runner=DockerFlowRunner())
