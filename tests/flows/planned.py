"""Flows that are served and deployed, and one that runs the deployment of another; run as a
program it does what is named."""

import json
import os
import sys
from pathlib import Path

from prefect import flow
from prefect.deployments import run_deployment
from prefect.schedules import Cron, Interval
from prefect.variables import Variable


def note(mark, line):
    with Path(mark).open("a") as file:
        file.write(f"{line}\n")


@flow(log_prints=True)
def planned(mark: str, name: str = "plain"):
    note(mark, name)
    print(f"it is {name}")


@flow
def situated(mark: str):
    note(mark, os.getcwd())
    note(mark, os.environ["SPICE"])
    note(mark, f"optimized {sys.flags.optimize}")


@flow
def keeper(mark: str):
    Variable.set("kept", {"a": 1})
    Variable.set("kept", {"a": 2}, overwrite=True)
    note(mark, Variable.get("kept")["a"])
    Variable.unset("kept")


@flow
def caller(mark: str):
    run = run_deployment(
        "planned/test", parameters={"mark": mark, "name": "called"}, poll_interval=0.1
    )
    note(mark, run.state.type.value)


def serve(mark):
    yearly = Cron("0 0 1 1 *", slug="yearly", parameters={"name": "yearly"})
    planned.serve("here", parameters={"mark": mark}, schedules=[yearly], print_starting_message=False)


def deploy(mark, pool, image, *volumes):
    """Without a registry: the image is there, and holds no code of ours."""
    source = str(Path(__file__).parent)
    remote = planned.from_source(source=source, entrypoint="planned.py:planned")
    daily = Interval(86_400, slug="daily", parameters={"name": "daily"})
    hours = Cron("0 * * * *", timezone="Europe/Berlin", slug="hourly")
    remote.deploy(
        "deployed",
        work_pool_name=pool,
        image=image or None,
        build=False,
        push=False,
        parameters={"mark": mark},
        schedules=[daily, hours],
        job_variables={"env": {"A": "1"}} | ({"volumes": volumes} if volumes else {}),
        print_next_steps=False,
    )


def deploy_process(mark, pool, variables):
    """Into a pool of processes; its code is where it is."""
    source = str(Path(__file__).parent)
    remote = situated.from_source(source=source, entrypoint="planned.py:situated")
    remote.deploy(
        "deployed",
        work_pool_name=pool,
        parameters={"mark": mark},
        job_variables=json.loads(variables),
        print_next_steps=False,
    )


if __name__ == "__main__":
    name, *more = sys.argv[1:]
    globals()[name](*more)
