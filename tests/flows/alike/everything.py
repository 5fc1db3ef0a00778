"""Runs all flows of the modules that are named, one after the other, and prints what each came to."""

import importlib
import sys
import time

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, LogFilter, LogFilterFlowRunId
from prefect.runtime import flow_run
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings


def come_to(call):
    try:
        return repr(call())
    except BaseException as error:
        return f"{type(error).__name__}: {error}"


def is_asked(client, run):
    """Whether a paused run that wants input has said what it wants, so that it can be resumed."""
    keys = run.state.state_details.run_input_keyset
    return not keys or client.filter_flow_run_input(run.id, keys["schema"], 1, set())


def await_told():
    """Waits until the server knows all that this flow run has said, and that its task has ended."""
    run = flow_run.id
    of_run = FlowRunFilter(id=FlowRunFilterId(any_=[run]))
    said = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run]))
    with get_client(sync_client=True) as client:
        while True:
            tasks = client.read_task_runs(flow_run_filter=of_run)
            lines = client.read_logs(said)
            is_told = any(line.task_run_id and line.message.startswith("Finished") for line in lines)
            if is_told and tasks and all(task.state and task.state.is_final() for task in tasks):
                return
            time.sleep(0.5)


if __name__ == "__main__":
    # At the end of each flow the thread of its heartbeats is awaited for a second.
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        for name in sys.argv[1:]:
            for number, call in enumerate(importlib.import_module(name).ALL):
                print(name, number, come_to(call), flush=True)
