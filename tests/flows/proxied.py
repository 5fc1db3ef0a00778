"""A flow that says what it was told of proxies, and its deployment."""

import os

from prefect import flow
from prefect.deployments import DeploymentSpec
from prefect.flow_runners import SubprocessFlowRunner


@flow
def proxied(mark: str = ""):
    with open(mark, "a") as file:
        for name in ["no_proxy", "NO_PROXY"]:
            file.write(os.environ.get(name, "") + "\n")


DeploymentSpec(flow=proxied, name="test", flow_runner=SubprocessFlowRunner())
