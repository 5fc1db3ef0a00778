"""Loads deployment specifications from a file and creates them at the API.

Arguments: the file, and a mark that starts each line meant for prefectctl. Such a line is a
JSON object with flow, name, id and error.
"""

import json
import os
import sys
import traceback

path, mark = sys.argv[1:3]


def tell(spec, **outcome):
    outcome = {"flow": spec.flow_name, "name": spec.name, "id": None, "error": None, **outcome}
    print(mark + json.dumps(outcome), flush=True)


try:
    from prefect import deployments
except ImportError as error:
    sys.exit(f"{sys.executable} cannot import prefect ({error}); install prefect==2.0a7 there or name another --python")

if not hasattr(deployments, "deployment_specs_from_script"):
    sys.exit(
        "this is for deployment specifications of prefect 2.0a7, which this prefect has not; deploy with"
        " `prefect deploy`, or with `flow.deploy(...)` or `flow.serve(...)` in the script"
    )

if os.environ.get("PREFECT_API_KEY"):
    # This generation's client knows no keys, but sends whatever headers it is given.
    import httpx

    class Client(httpx.AsyncClient):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.headers["Authorization"] = "Bearer " + os.environ["PREFECT_API_KEY"]

    httpx.AsyncClient = Client

load = deployments.deployment_specs_from_script
if not path.endswith(".py"):
    load = deployments.deployment_specs_from_yaml

try:
    specs = load(path)
except Exception:
    traceback.print_exc(limit=-3)
    sys.exit(1)

for spec in sorted(specs, key=lambda spec: spec.name):
    try:
        created = deployments.create_deployment_from_spec(spec)
        tell(spec, id=str(created))
    except Exception as error:
        traceback.print_exc(limit=-3)
        tell(spec, error=f"{type(error).__name__}: {error}")
