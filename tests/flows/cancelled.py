"""Flows that are cancelled."""

import signal
import time
from pathlib import Path

from prefect import flow


def note(mark, line):
    with Path(mark).open("a") as file:
        file.write(f"{line}\n")


@flow
def deaf(mark: str):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note(mark, "deaf")
    while True:
        time.sleep(1)


@flow
def below(mark: str):
    # What is told to end tells that it crashed.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note(mark, "below")
    while True:
        time.sleep(1)


@flow
def above(mark: str):
    below(mark)
