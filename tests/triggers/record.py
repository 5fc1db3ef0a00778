"""Records when triggers of the real server fire, as tests/golden/triggers.jsonl has it.

    record.py > ../golden/triggers.jsonl     by the Python of the newest client's environment

When a proactive trigger fires depends there on when the server's loops happen to look. Here they
look whenever a window has passed, and also after each event where only another event opens the
next window. Proactive triggers that wait for an event first, and not about each of something, are
left out: there they wait from the start as well.

A line is a trigger and what happens: at a time, an event of a name about something, that occurred
at a time, and about what it fired; an event without a name is that the time has passed. All times
are seconds from the making of the automation.
"""

import asyncio
import copy
import itertools
import json
import os
import random
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from uuid import uuid4

home = tempfile.TemporaryDirectory()
os.environ["PREFECT_HOME"] = home.name
os.environ["PREFECT_LOGGING_LEVEL"] = "CRITICAL"
os.environ["PREFECT_SERVER_LOGGING_LEVEL"] = "CRITICAL"

import prefect.types._datetime as clock
import sqlalchemy as sa
from prefect.server.database import provide_database_interface
from prefect.server.events import triggers
from prefect.server.events.models import automations as stored
from prefect.server.events.schemas.automations import Automation
from prefect.server.events.schemas.events import ReceivedEvent

BEGAN = datetime(2026, 1, 1, tzinfo=timezone.utc)
now = BEGAN
fired = []


async def noted(firing):
    fired.append(",".join(firing.triggering_labels.values()))


async def no_offset():
    return 0.0


triggers.act = noted
triggers.get_events_clock_offset = no_offset


def moment(secs):
    return clock.create_datetime_instance(BEGAN + timedelta(seconds=secs))


async def look(at):
    """Has proactive triggers look as of a moment."""
    global now
    now = moment(at)
    for one in list(triggers.triggers.values()):
        if one.posture == triggers.Posture.Proactive:
            # What has come as it should goes first, and is waited for again by the second look.
            await triggers.proactive_evaluation(one, now)
            await triggers.proactive_evaluation(one, now)


async def pass_time(db, at):
    """Has them looked at whenever a window has passed, up to a moment."""
    while True:
        async with db.session_context() as session:
            ends = await session.execute(sa.select(db.AutomationBucket.end, db.AutomationBucket.trigger_id))
            ends = [end for end, of in ends.all() if triggers.triggers[of].posture == triggers.Posture.Proactive]
        ends = [(end - BEGAN).total_seconds() for end in ends]
        ends = [end for end in ends if end <= at]
        if not ends:
            return
        await look(min(ends))


async def recorded(db, trigger, happenings):
    global now
    await triggers.reset()
    async with db.session_context(begin_transaction=True) as session:
        for table in (db.AutomationBucket, db.Automation, db.CompositeTriggerChildFiring):
            await session.execute(sa.delete(table))
        await session.execute(sa.text("DELETE FROM automation_held_event"))
    automation = Automation(id=uuid4(), name="n", trigger=copy.deepcopy(trigger), actions=[{"type": "do-nothing"}])
    async with triggers.automations_session(begin_transaction=True) as session:
        automation = await stored.create_automation(session, automation)
    triggers.load_automation(automation)
    now, steps = moment(0), []
    await look(0)
    for at, name, about, occurred in happenings:
        fired.clear()
        await pass_time(db, at)
        now = moment(at)
        if name:
            event = ReceivedEvent(
                id=uuid4(),
                occurred=moment(occurred),
                received=moment(at),
                event=name,
                resource={"prefect.resource.id": about},
                payload={},
            )
            await triggers.reactive_evaluation(event)
            if any(one.after for one in triggers.triggers.values()):
                # Before any window began, as of which nothing passes.
                await look(-1000)
                now = moment(at)
        steps.append([at, name, about, occurred, sorted(fired)])
    return {"trigger": trigger, "steps": steps}


def orders(chance, names, abouts):
    """What happens: as often in order as not, and never at the same time as what waits from the start."""
    at, happenings = 0.5, []
    for _ in range(chance.randint(5, 9)):
        at += chance.choice([1, 1, 2, 4, 7, 11, 23])
        back = chance.choice([0, 0, 0, 1, 3, 9, 20])
        about = chance.choice(abouts)
        happenings.append([at, chance.choice(names), about, at - back])
    happenings.append([at + 15, "", "", 0])
    happenings.append([at + 100, "", "", 0])
    return happenings


EACH = ["prefect.resource.id"]


def event(expect, **more):
    return {
        "type": "event",
        "posture": "Reactive",
        "after": [],
        "expect": expect,
        "within": 0,
        "threshold": 1,
        "for_each": [],
    } | more


KINDS = [([], ["a"]), (["s"], ["a"]), (["s"], ["s"]), (["s"], ["s", "a"]), (["s"], [])]


def reactive_triggers():
    for after, expect in KINDS:
        for within, threshold, for_each in itertools.product([0, 10, 30], [1, 2, 3], [[], EACH]):
            yield event(expect, after=after, within=within, threshold=threshold, for_each=for_each)


def proactive_triggers():
    for after, expect in KINDS:
        for within, threshold, for_each in itertools.product([10, 30], [1, 2, 3], [[], EACH]):
            if for_each or not after:
                more = {"within": within, "threshold": threshold, "for_each": for_each}
                yield event(expect, posture="Proactive", after=after, **more)


def composite_triggers():
    """Of what comes, of what comes twice, and of what does not come."""
    a, s, o = event(["a"]), event(["s"]), event(["o"])
    twice = event(["a"], threshold=2, within=30)
    absent = event(["o"], posture="Proactive", within=10)
    for within in [None, 10, 30]:
        for kinds in [[a, s], [a, s, o], [twice, s], [a, absent]]:
            yield {"type": "sequence", "within": within, "triggers": kinds}
            for require in ["any", "all", 1, 2]:
                yield {"type": "compound", "within": within, "require": require, "triggers": kinds}
        inner = {"type": "compound", "within": within, "require": "any", "triggers": [a, s]}
        yield {"type": "sequence", "within": within, "triggers": [inner, o]}


async def main():
    db = provide_database_interface()
    await db.create_db()
    real = clock.now
    clock.now = lambda tz="UTC": now
    chance = random.Random(7)
    try:
        for trigger in itertools.chain(reactive_triggers(), proactive_triggers(), composite_triggers()):
            for _ in range(3):
                abouts = ["x", "y"] if trigger.get("for_each") else ["x"]
                happenings = orders(chance, ["a", "s", "o"], abouts)
                print(json.dumps(await recorded(db, trigger, happenings)), flush=True)
    finally:
        clock.now = real
    home.cleanup()
    # The server's own threads have no end.
    sys.stdout.flush()
    os._exit(0)


asyncio.run(main())
