"""Automations as people write them with today's client."""

import sys

from prefect import flow
from prefect.automations import Automation
from prefect.events import emit_event
from prefect.events.actions import DoNothing, RunDeployment
from prefect.events.schemas.automations import CompoundTrigger, EventTrigger, Posture


@flow
def answer(n: int = 0, who: str = ""):
    return n


def create():
    trigger = EventTrigger(
        expect={"asked"},
        match={"prefect.resource.id": "somebody.*"},
        posture=Posture.Reactive,
        threshold=1,
    )
    made = Automation(name="one", trigger=trigger, actions=[DoNothing()]).create()
    read = Automation.read(id=made.id)
    assert read.trigger.expect == {"asked"}, read
    read.description = "changed"
    read.update()
    assert Automation.read(name="one").description == "changed"
    both = CompoundTrigger(triggers=[trigger, trigger], within=60, require="all")
    Automation(name="two", trigger=both, actions=[DoNothing()]).create()
    read.disable()
    assert not Automation.read(id=made.id).enabled
    read.enable()


def deploy():
    trigger = {
        "expect": ["asked"],
        "match": {"prefect.resource.id": "somebody.*"},
        "parameters": {"n": "{{ event.payload.n }}", "who": "{{ event.resource.id }}"},
    }
    deployment = answer.to_deployment("by-event", triggers=[trigger])
    deployment.apply()
    # The triggers of a deployment that is made again are replaced.
    deployment.apply()


def tell():
    emit_event("asked", {"prefect.resource.id": "somebody.else"}, payload={"n": 7})


if __name__ == "__main__":
    {"create": create, "deploy": deploy, "tell": tell}[sys.argv[1]]()
