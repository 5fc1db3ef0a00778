"""One flow for each thing that a 2.0a7 flow can do. Each appends a line to a file per
execution, so that a test can count them."""

import concurrent.futures as concurrent_futures
import os
import subprocess
import sys
import time

import anyio

from prefect import flow, get_run_logger, task
from prefect.client import OrionClient
from prefect.task_runners import DaskTaskRunner


def count(mark, line):
    if mark:
        with open(mark, "a") as file:
            file.write(line + "\n")


@flow
def plain(mark: str = ""):
    count(mark, "plain")
    print("plain says hello")
    return 1


@flow
def parameters(name: str = "nobody", number: int = 1, mark: str = ""):
    count(mark, f"{name} {number + 1}")


@task
def add(x, y):
    return x + y


@flow
def tasks(mark: str = ""):
    one = add(1, 2)
    two = add(one, 3)
    three = add(two, 4)
    count(mark, "tasks")
    assert three.wait().result() == 10
    return three


@task(retries=2, retry_delay_seconds=0.1)
def flaky(mark):
    count(mark, "attempt")
    with open(mark) as file:
        if len(file.readlines()) < 3:
            raise ValueError("not yet")


@flow
def task_retries(mark: str = ""):
    return flaky(mark)


@flow
def failing(mark: str = ""):
    count(mark, "failing")
    raise ValueError("this flow fails on purpose")


@task
def broken():
    raise ValueError("this task fails on purpose")


@flow
def failing_task(mark: str = ""):
    count(mark, "failing_task")
    return broken()


@flow
def child(mark: str = ""):
    count(mark, "child")
    return 2


@flow
def parent(mark: str = ""):
    count(mark, "parent")
    return child(mark)


@task
def wait_for_other(mark, own, other):
    count(mark, own)
    for _ in range(600):
        with open(mark) as file:
            if other in file.read().split():
                return
        time.sleep(0.05)
    raise ValueError(f"{own} waited in vain for {other}")


# This generation's one concurrent task runner is that of Dask.
two_workers = {"processes": True, "n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}


@flow(task_runner=DaskTaskRunner(cluster_kwargs=two_workers))
def concurrent(mark: str = ""):
    return [wait_for_other(mark, "a", "b"), wait_for_other(mark, "b", "a")]


@flow
def second_try(mark: str = ""):
    count(mark, "try")
    with open(mark) as file:
        if len(file.readlines()) < 2:
            raise ValueError("only the second run succeeds")


@flow
def environment(mark: str = ""):
    names = ["FROM_TEST", "CUSTOM_IMAGE", "PREFECT_API_KEY"]
    count(mark, "".join(os.environ.get(name, "") for name in names))


@flow
def sleeper(mark: str = "", seconds: float = 600):
    count(mark, "started")
    print("sleeper started", flush=True)
    time.sleep(seconds)
    count(mark, "ended")


@flow
def asks(program: str = "", asked: str = "", answers: str = ""):
    """Has a child send the requests in one file, once it is there, and keep what it prints."""
    while asked and not os.path.exists(asked):
        time.sleep(0.05)
    with open(asked) as requests, open(answers + ".new", "w") as out:
        subprocess.run([sys.executable, "-c", program], stdin=requests, stdout=out, check=True)
    os.rename(answers + ".new", answers)


@flow
def dying(mark: str = "", seconds: float = 0):
    count(mark, "started")
    print("dying says goodbye", flush=True)
    time.sleep(seconds)
    count(mark, "dying")
    os._exit(3)


@flow
def streams(mark: str = ""):
    for number in range(3):
        print(f"out {number}", flush=True)
        print(f"err {number}", file=sys.stderr, flush=True)


@flow
def chatty(lines: int = 100_000):
    for number in range(lines):
        print(f"line {number}")


@flow
def greedy(mark: str = ""):
    count(mark, "started")
    held = []
    while True:
        held.append(bytearray(10_000_000))


@flow
def begins_others(mark: str = ""):
    get_run_logger().info("begins others")
    child(mark)
    # In a thread of its own, since this one may have a loop that is busy with the flow.
    with concurrent_futures.ThreadPoolExecutor() as pool:
        pool.submit(anyio.run, run_deployment, "plain/test", {"mark": mark}).result()
    count(mark, "begun")


async def run_deployment(name, parameters):
    async with OrionClient() as client:
        deployment = await client.read_deployment_by_name(name)
        await client.create_flow_run_from_deployment(deployment.id, parameters=parameters)
