"""Flows that take slots of limits; run as a program it runs the one that is named."""

import os
import sys
import time
from pathlib import Path

from prefect import flow, task
from prefect.concurrency.sync import concurrency, rate_limit


def note(mark, line):
    with Path(mark).open("a") as file:
        file.write(f"{line}\n")


@task
def guarded(mark):
    with concurrency("db", occupy=1):
        note(mark, "begin")
        time.sleep(0.2)
        note(mark, "end")


@flow
def crowd(mark: str):
    guarded.map([mark] * 4).result()


@flow
def paced(mark: str):
    for _ in range(5):
        rate_limit("rate")
        note(mark, time.time())


@task(tags=["few"])
def tagged(mark):
    note(mark, "begin")
    time.sleep(0.2)
    note(mark, "end")


@flow
def tags(mark: str):
    tagged.map([mark] * 4).result()


@flow
def alone(mark: str, seconds: float = 0.2, dies: bool = False):
    note(mark, "begin")
    if dies:
        os._exit(3)
    time.sleep(seconds)
    note(mark, "end")


if __name__ == "__main__":
    name, mark = sys.argv[1:]
    globals()[name](mark)
