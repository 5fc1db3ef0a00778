"""What flows are called with, how they are built, and what they print."""

import asyncio
import enum
import uuid
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Literal, Optional

from prefect import flow, get_run_logger, tags, task
from pydantic import BaseModel, SecretStr


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Address(BaseModel):
    street: str
    since: date


class Person(BaseModel):
    name: str
    colour: Colour
    homes: list[Address] = []


@task
def add(x, y=1):
    return x + y


@task
async def add_later(x, y=1):
    await asyncio.sleep(0.05)
    return x + y


@flow
def plain():
    """Says something at every level."""
    logger = get_run_logger()
    for level in ["debug", "info", "warning", "error", "critical"]:
        getattr(logger, level)("plain says %s", level)
    return 1


@flow
def parameters(
    text: str,
    number: int,
    fraction: float,
    day: date,
    moment: datetime,
    span: timedelta,
    colour: Colour,
    person: Person,
    others: list[Person],
    prices: dict[str, Decimal],
    place: Path,
    secret: SecretStr,
    choice: Literal["a", "b"] = "a",
    identity: Optional[uuid.UUID] = None,
    numbers: tuple[int, ...] = (1, 2),
):
    get_run_logger().info("of %s, %s, %s", person, others, prices)
    return [text, number, fraction, day, moment, span, colour, place, choice, identity, numbers]


def told_as_text():
    home = {"street": "Elm", "since": "2020-02-29"}
    person = {"name": "Ada", "colour": "red", "homes": [home]}
    return parameters(
        "text",
        "3",
        "2.5",
        "2024-02-29",
        "2024-02-29T12:00:00+02:00",
        90,
        "blue",
        person,
        [person, {"name": "Bo", "colour": "blue"}],
        {"tea": "1.10"},
        "/tmp",
        "hidden",
        identity="00000000-0000-0000-0000-000000000007",
        numbers=["1", 2],
    )


def told_as_objects():
    person = Person(name="Ada", colour=Colour.RED, homes=[Address(street="Elm", since=date(2020, 2, 29))])
    return parameters(
        "text",
        3,
        2.5,
        date(2024, 2, 29),
        datetime(2024, 2, 29, 12, tzinfo=timezone.utc),
        timedelta(days=1, microseconds=1),
        Colour.BLUE,
        person,
        [person],
        {"tea": Decimal("1.10")},
        Path("/tmp"),
        SecretStr("hidden"),
        "b",
        uuid.UUID(int=7),
    )


def told_wrongly():
    return plain_number("x")


def told_too_much():
    return plain_number(1, other=2)


@flow(version="7", description="A flow of a number", name="a flow's own name")
def plain_number(number: int):
    return number


@flow(validate_parameters=False)
def unchecked(number: int):
    return number


@flow(flow_run_name="run of {what}")
def named(what: str):
    return [add.with_options(task_run_name="add {x} to {y}")(2), add.with_options(name="other", tags=["one", "two"])(3)]


@flow(log_prints=True)
def printing():
    print("printed", "in two words")
    print("two\nlines")
    loud()
    quiet()


@task
def loud():
    print("printed by a task")


@task(log_prints=False)
def quiet():
    print("not logged")


@flow
def tagged():
    with tags("inner"):
        add(1)
        plain_number(1)
    return add.with_options(tags=["own"])(2)


def with_tags():
    with tags("outer", "other"):
        return tagged()


@flow
async def asynchronous():
    alone = await add_later(1)
    together = await asyncio.gather(*[add_later.with_options(task_run_name=f"later {n}")(n) for n in range(3)])
    return [alone, *together, add(1), await inner_later(3)]


@flow
async def inner_later(number: int):
    return await add_later(number)


@flow
def grandchild(number: int = 0):
    return add(number)


@flow
def child(fails: bool):
    grandchild(5)
    if fails:
        raise ValueError("the child fails on purpose")
    return "a child's result"


@flow
def nesting():
    state = child(True, return_state=True)
    return [child(False), state.name, state.message, grandchild.with_options(name="renamed")(1)]


@flow
def failing_below():
    add(1)
    return child(True)


@task
def within(number):
    return add(number) + add(number, 2)


@flow
def nested_tasks():
    return within(1)


@flow
def generating():
    yield 1
    yield add(1)


def generated():
    return list(generating())


class Counter:
    """Flows and tasks as methods."""

    @flow
    def count(self, number: int):
        return self.more(number)

    @task
    def more(self, number):
        return number + 1


def as_method():
    return Counter().count(1)


def alone():
    """A task outside of any flow."""
    return lonely(1)


@task(log_prints=True)
def lonely(number):
    get_run_logger().info("lonely %s", number)
    return number


def with_state():
    state = plain(return_state=True)
    return [state.type.value, state.name, state.message, state.result()]


ALL = [
    plain,
    told_as_text,
    told_as_objects,
    told_wrongly,
    told_too_much,
    lambda: unchecked("x"),
    lambda: named("what"),
    printing,
    with_tags,
    lambda: asyncio.run(asynchronous()),
    nesting,
    failing_below,
    nested_tasks,
    generated,
    as_method,
    alone,
    with_state,
]
