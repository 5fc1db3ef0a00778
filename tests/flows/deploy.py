"""Deploys every flow of a file under the name "test" on a given flow runner.

Arguments: the file, and the flow runner's type and config as JSON.
"""

import json
import runpy
import sys

from prefect import flow_runners
from prefect.deployments import DeploymentSpec, create_deployment_from_spec
from prefect.flows import Flow

path, runner = sys.argv[1], json.loads(sys.argv[2])
classes = {"docker": flow_runners.DockerFlowRunner, "subprocess": flow_runners.SubprocessFlowRunner}
flow_runner = classes[runner["type"]](**runner["config"])

for value in runpy.run_path(path).values():
    if isinstance(value, Flow):
        spec = DeploymentSpec(name="test", flow_location=path, flow_name=value.name, flow_runner=flow_runner, tags=["deployed"])
        create_deployment_from_spec(spec)
