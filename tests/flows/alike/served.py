"""Deployments that one process serves, or a worker executes, and a program that asks for their runs
and prints how each ended."""

import json
import os
import sys
import time
from datetime import date, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Optional

from everything import await_told, come_to, is_asked
from prefect import flow, serve, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName
from prefect.deployments import run_deployment
from prefect.flow_runs import resume_flow_run, suspend_flow_run
from prefect.input import RunInput
from prefect.states import Cancelling
from pydantic import BaseModel


class Answer(RunInput):
    number: int


@task
def step(number):
    return number


@flow(log_prints=True)
def inner(name: str = "plain", number: int = 1, fails: bool = False):
    print(f"it is {name}")
    step(number)
    if fails:
        raise ValueError("this run fails on purpose")


@flow
def caller():
    done = run_deployment("inner/served", parameters={"name": "called"}, tags=["called"], poll_interval=0.5)
    alone = run_deployment("inner/served", as_subflow=False, timeout=0, flow_run_name="left alone")
    return [done.state.name, alone.state.name]


@flow(persist_result=True)
def leaves():
    step(1)
    answer = suspend_flow_run(wait_for_input=Answer, timeout=120)
    return step(answer.number)


class Shade(Enum):
    DARK = "dark"
    LIGHT = "light"


class Point(BaseModel):
    x: int
    y: float = 0.5
    near: list["Point"] = []


@flow(log_prints=True)
def wide(
    when: datetime,
    day: date,
    shade: Shade,
    point: Point,
    named: dict[str, list[Point]],
    length: timedelta = timedelta(seconds=5),
    maybe: Optional[int] = None,
):
    for value in [when.isoformat(), day, shade, point, named, length, maybe]:
        print(type(value).__name__, value)


@flow
def sleeps(mark: str):
    step(1)
    await_told()
    Path(mark).touch()
    while True:
        time.sleep(0.1)


@flow
def dies():
    step(1)
    await_told()
    os._exit(3)


def wait_for(what):
    while not (found := what()):
        time.sleep(0.2)
    return found


def is_over(client, run):
    run = client.read_flow_run(run.id)
    return run if run.state.is_final() else None


def is_asking(client, run):
    """A suspended run whose process is gone: what serves it has heard that it ended."""
    run = client.read_flow_run(run.id)
    return run if run.state.is_paused() and is_asked(client, run) else None


def beyond_the_schema():
    return run_deployment("inner/served", parameters={"number": "x"}, timeout=0)


def ask_of_served(client, mark):
    runs = {
        "plain": run_deployment("inner/served", timeout=0),
        "fails": run_deployment("inner/served", parameters={"fails": True}, timeout=0),
        "caller": run_deployment("caller/served", timeout=0),
        "leaves": run_deployment("leaves/served", timeout=0),
        "sleeps": run_deployment("sleeps/served", parameters={"mark": mark}, timeout=0),
        "dies": run_deployment("dies/served", timeout=0),
    }
    print("beyond the schema", come_to(beyond_the_schema))
    leaves = wait_for(lambda: is_asking(client, runs["leaves"]))
    print("resumed", come_to(lambda: resume_flow_run(leaves.id, {"number": 2})))
    left_alone = FlowRunFilter(name=FlowRunFilterName(any_=["left alone"]))
    found = wait_for(lambda: client.read_flow_runs(flow_run_filter=left_alone))
    return runs | {"left alone": found[0]}


OF_WIDE = {
    "when": datetime(2024, 2, 29, 12, 30, 15),
    "day": date(2024, 2, 29),
    "shade": Shade.DARK,
    "point": Point(x=1, near=[Point(x=2, y=1.5)]),
    "named": {"a": [Point(x=3)], "b": []},
}


def ask_wide(**others):
    return run_deployment("wide/worked", parameters=OF_WIDE | others, timeout=0)


def ask_of_pool(client, mark):
    for others in [
        {"shade": "grey"},
        {"point": {"y": 1}},
        {"named": {"a": [{"x": "one"}]}},
        {"maybe": "x"},
        {"length": timedelta(days=2)},
        {"unknown": 1},
    ]:
        print("beyond the schema", come_to(lambda others=others: ask_wide(**others).parameters))
    return ask_of_worker(client, mark) | {
        "wide": ask_wide(),
        "wider": ask_wide(length="P2D", maybe=7, shade="light", point={"x": 4}),
    }


def ask_of_worker(client, mark):
    return {
        "plain": run_deployment("inner/worked", timeout=0),
        "fails": run_deployment("inner/worked", parameters={"fails": True}, timeout=0),
        "sleeps": run_deployment("sleeps/worked", parameters={"mark": mark}, timeout=0),
        "dies": run_deployment("dies/worked", timeout=0),
    }


def ask(how, mark):
    with get_client(sync_client=True) as client:
        runs = how(client, mark)
        wait_for(Path(mark).exists)
        client.set_flow_run_state(runs["sleeps"].id, Cancelling())
        for name, run in runs.items():
            run = wait_for(lambda: is_over(client, run))
            # Who serves a pool tells the end of a process in words of its own.
            message = "" if how is ask_of_pool else run.state.message
            print(name, run.state.name, message, flush=True)
    # The process of a run goes on for a second after the run has ended, and whoever is told to end
    # meanwhile tells that the run was cancelled.
    time.sleep(5)


def begin_serving():
    made = [one.to_deployment("served", tags=["served"]) for one in [inner, caller, leaves, sleeps, dies]]
    serve(*made, print_starting_message=False)


def deploy(pool, variables="{}"):
    folder = str(Path(__file__).parent)
    for one in [inner, sleeps, dies, wide]:
        entrypoint = f"served.py:{one.fn.__name__}"
        remote = one.from_source(source=folder, entrypoint=entrypoint)
        remote.deploy(
            "worked",
            work_pool_name=pool,
            job_variables=json.loads(variables),
            build=False,
            push=False,
            print_next_steps=False,
        )


if __name__ == "__main__":
    what, *more = sys.argv[1:]
    match what:
        case "serve":
            begin_serving()
        case "ask-served":
            ask(ask_of_served, *more)
        case "deploy":
            deploy(*more)
        case "ask-worker":
            ask(ask_of_worker, *more)
        case "ask-pool":
            ask(ask_of_pool, *more)
