"""Flows that every generation of the client executes, from 2.0a7 on, and how each deploys them.

    generations.py run                     as a script
    generations.py deploy FLOW NAME KIND [SETTINGS]
                                           by the client's own means; KIND is `process` or
                                           `container`, SETTINGS are those of the job, as JSON
    generations.py cancel ID               where the client has no command for that
"""

import asyncio
import json
import sys
import time
from pathlib import Path

import prefect
from prefect import flow, task

GENERATION = tuple(int(part) for part in prefect.__version__.split(".")[:2] if part.isdigit())

tried = []


def value(outcome):
    """What a call comes to: in 2.0a7 a future, or a state."""
    outcome = outcome.wait() if hasattr(outcome, "wait") else outcome
    return outcome.result() if hasattr(outcome, "result") else outcome


@task(retries=2)
def shaky(number):
    tried.append(number)
    if tried.count(number) == 1:
        raise ValueError("once more")
    return number * 2


@flow
def within(number):
    return value(shaky(number))


@flow
def told(number: int = 3):
    prefect.get_run_logger().info("prefect " + prefect.__version__ + " speaks")
    if value(shaky(number)) != 6 or value(within(number + 1)) != 8:
        raise RuntimeError("tasks come to something else")


@flow
def sleeper():
    time.sleep(600)


def by_block(which, name, kind, settings):
    """2.3 to 2.7: an infrastructure block, and a queue named after the deployment."""
    from prefect.deployments import Deployment
    from prefect.infrastructure import DockerContainer, Process

    block = {"process": Process, "container": DockerContainer}[kind](**settings)
    made = Deployment.build_from_flow(flow=which, name=name, work_queue_name=name, infrastructure=block)
    made.apply()


def by_overrides(which, name, kind, settings):
    """2.10 to 2.20: a work pool, named after the deployment."""
    from prefect.deployments import Deployment

    made = Deployment.build_from_flow(
        flow=which, name=name, work_pool_name=name, infra_overrides=settings
    )
    made.apply()


def by_source(which, name, kind, settings):
    """3: the same by `deploy`."""
    here = Path(__file__)
    source = which.from_source(source=str(here.parent), entrypoint=f"{here.name}:{which.fn.__name__}")
    source.deploy(
        name=name, work_pool_name=name, job_variables=settings, build=False, push=False, print_next_steps=False
    )


async def cancel(run):
    from prefect.client import get_client
    from prefect.orion.schemas.states import Cancelled

    async with get_client() as client:
        await client.set_flow_run_state(run, Cancelled())


def main():
    if sys.argv[1] == "run":
        value(told())
        return
    if sys.argv[1] == "cancel":
        asyncio.run(cancel(sys.argv[2]))
        return
    _, _, which, name, kind, *settings = sys.argv
    settings = json.loads(settings[0]) if settings else {}
    deploy = by_block if GENERATION < (2, 10) else by_overrides if GENERATION < (3, 0) else by_source
    deploy({"told": told, "sleeper": sleeper}[which], name, kind, settings)


if __name__ == "__main__":
    main()
