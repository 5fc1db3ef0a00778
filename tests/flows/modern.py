"""Flows of today's client; run as a program it runs the one that is named, with its arguments."""

import sys
import time
from pathlib import Path

from prefect import flow, task


def note(mark, line):
    with Path(mark).open("a") as file:
        file.write(f"{line}\n")


@task
def noted(mark, number, seconds):
    time.sleep(seconds)
    note(mark, number)
    return number


@flow(log_prints=True)
def mapped(mark: str, many: int = 3, seconds: float = 0.0):
    done = noted.map([mark] * many, range(many), [seconds] * many).result()
    print(f"{len(done)} are done")


@task
def held(mark, number):
    while not Path(f"{mark}.go").exists():
        time.sleep(0.1)
    note(mark, number)


@flow
def holding(mark: str, many: int):
    held.map([mark] * many, range(many)).wait()


@task(retries=2, retry_delay_seconds=0)
def stubborn(mark):
    note(mark, "tried")
    if len(Path(mark).read_text().splitlines()) < 3:
        raise ValueError("not yet")


@flow
def retried(mark: str):
    stubborn(mark)


@flow
def inner(mark: str):
    note(mark, "inner")


@flow
def outer(mark: str):
    inner(mark)
    note(mark, "outer")


@flow(retries=1, retry_delay_seconds=0)
def failing(mark: str):
    note(mark, "failing")
    raise ValueError("on purpose")


@flow
def patient(mark: str):
    note(mark, "started")
    print("it is about to sleep", flush=True)
    time.sleep(300)


@flow
def hungry(mark: str):
    note(mark, "started")
    held = bytearray(2**30)
    held[:: 2**12] = b"x" * (2**18)
    note(mark, len(held))


if __name__ == "__main__":
    name, mark, *more = sys.argv[1:]
    globals()[name](mark, *(float(word) if "." in word else int(word) for word in more))
