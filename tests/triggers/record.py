"""Records when reactive triggers of the real server fire, as tests/golden/triggers.jsonl has it.

    record.py > ../golden/triggers.jsonl     by the Python of the newest client's environment

What proactive ones do depends there on when the server's loops happen to look.

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
    for at, name, about, occurred in happenings:
        fired.clear()
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
        steps.append([at, name, about, occurred, sorted(fired)])
    return {"trigger": trigger, "steps": steps}


def orders(chance, names, abouts):
    """What happens: as often in order as not."""
    at, happenings = 0, []
    for _ in range(chance.randint(5, 9)):
        at += chance.choice([1, 1, 2, 4, 7, 11, 23])
        back = chance.choice([0, 0, 0, 1, 3, 9, 20])
        about = chance.choice(abouts)
        happenings.append([at, chance.choice(names), about, at - back])
    happenings.append([at + 15, "", "", 0])
    happenings.append([at + 100, "", "", 0])
    return happenings


def event_triggers():
    kinds = [([], ["a"]), (["s"], ["a"]), (["s"], ["s"]), (["s"], ["s", "a"]), (["s"], [])]
    for after, expect in kinds:
        for within, threshold, for_each in itertools.product(
            [0, 10, 30], [1, 2, 3], [[], ["prefect.resource.id"]]
        ):
            yield {
                "type": "event",
                "posture": "Reactive",
                "after": after,
                "expect": expect,
                "within": within,
                "threshold": threshold,
                "for_each": for_each,
            }


async def main():
    db = provide_database_interface()
    await db.create_db()
    real = clock.now
    clock.now = lambda tz="UTC": now
    chance = random.Random(7)
    try:
        for trigger in event_triggers():
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
