"""Runs flows against the API of PREFECT_ORION_HOST and prints what became of them, as JSON:
for each flow run its states, and for each of its task runs the states and the run count."""

import asyncio
import datetime
import json
import time

from prefect import flow, task
from prefect.client import OrionClient
from prefect.orion.schemas import filters, sorting
from prefect.task_runners import DaskTaskRunner
from prefect.tasks import task_input_hash

attempts = []


@task(cache_key_fn=task_input_hash)
def cached(x):
    return x + 1


@task(cache_key_fn=lambda context, arguments: "brief", cache_expiration=datetime.timedelta(seconds=0.5))
def briefly_cached():
    return time.time()


@flow
def caching():
    first, again, other = cached(1), cached(1), cached(2)
    brief = briefly_cached()
    time.sleep(1)
    briefly_cached()
    return [first, again, other, brief]


@task(retries=2, retry_delay_seconds=1)
def flaky():
    attempts.append(1)
    if len(attempts) < 3:
        raise ValueError("not yet")
    return len(attempts)


@task(retries=1)
def hopeless():
    raise ValueError("never")


@flow
def retrying():
    return [flaky(), hopeless()]


@task
def add(x, y):
    return x + y


@flow(task_runner=DaskTaskRunner(cluster_kwargs={"processes": True, "n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}))
def concurrent():
    return [add(number, 1) for number in range(3)]


@flow
def grandchild():
    return add(1, 1)


@flow
def child(fails):
    grandchild()
    if fails:
        raise ValueError("the child fails")
    return 1


@flow
def nesting():
    return [child(False), child(True)]


@flow(timeout_seconds=1)
def slow():
    time.sleep(2)
    add(1, 2)


@flow(version="7")
def strict(x: int):
    return x


async def story(client, run):
    of_run = filters.FlowRunFilter(id=filters.FlowRunFilterId(any_=[run.id]))
    tasks = await client.read_task_runs(flow_run_filter=of_run)
    told = []
    for task_run in tasks:
        states = await client.read_task_run_states(task_run.id)
        # Sub-flows have random keys.
        key = task_run.dynamic_key if task_run.dynamic_key.isdigit() else None
        told.append([task_run.task_key, key, task_run.run_count, [state.name for state in states], task_run.cache_key is not None,
                     task_run.state.message if task_run.state.is_failed() else None])
    states = await client.read_flow_run_states(run.id)
    flow = await client.read_flow(run.flow_id)
    return [flow.name, run.flow_version, run.parameters, run.run_count, run.parent_task_run_id is not None,
            [[state.name, state.message] for state in states], sorted(told, key=str)]


async def main():
    async with OrionClient() as client:
        runs = await client.read_flow_runs(sort=sorting.FlowRunSort.EXPECTED_START_TIME_ASC)
        print(json.dumps([await story(client, run) for run in runs], default=str))


if __name__ == "__main__":
    for one in [caching, retrying, concurrent, nesting, slow]:
        one()
    strict("3")
    strict("x")
    asyncio.run(main())
