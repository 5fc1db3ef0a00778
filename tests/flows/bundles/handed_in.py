"""A flow that is handed in to a work pool with its code, and the program that hands it in.

Words: the work pool, its job variables as JSON, the folder for bundles here and where the run is, the
Python of the run, and where to leave a mark.
"""

import json
import sys
from pathlib import Path

from prefect import flow, get_client, task
from prefect.flows import bind_flow_to_infrastructure
from prefect.workers.process import ProcessWorker


@task
def leave(mark, line):
    with Path(mark).open("a") as file:
        file.write(f"{line}\n")


@flow(log_prints=True)
def handed_in(mark: str, line: str = "plain"):
    leave(mark, line)
    print(f"left {line}")


def configure(pool, here, there):
    storage = {
        "bundle_upload_step": {"keep": {"folder": here}},
        "bundle_execution_step": {"fetch": {"folder": there}},
    }
    with get_client(sync_client=True) as client:
        path = f"/work_pools/{pool}"
        client.request("PATCH", path, json={"storage_configuration": storage}).raise_for_status()


if __name__ == "__main__":
    pool, variables, here, there, python, mark = sys.argv[1:]
    configure(pool, here, there)
    bound = bind_flow_to_infrastructure(
        handed_in,
        pool,
        ProcessWorker,
        json.loads(variables),
        launcher={"upload": [sys.executable], "execution": [python]},
    )
    future = bound.submit_to_work_pool(mark, line="by bundle")
    print(future.flow_run_id, flush=True)
    future.wait(timeout=120)
    print(future.state.name)
