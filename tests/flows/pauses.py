"""Flows that wait for somebody; run as a program it runs the one that is named."""

import sys
from pathlib import Path

from prefect import flow, pause_flow_run, suspend_flow_run
from prefect.input import RunInput


class Answer(RunInput):
    number: int
    word: str = "none"


def note(mark, line):
    with Path(mark).open("a") as file:
        file.write(f"{line}\n")


@flow
def asks(mark: str, timeout: int = 120):
    note(mark, "asked")
    answer = pause_flow_run(wait_for_input=Answer, timeout=timeout, poll_interval=1)
    note(mark, f"{answer.number} {answer.word}")


@flow
def waits(mark: str, timeout: int = 120):
    note(mark, "before")
    pause_flow_run(timeout=timeout, poll_interval=1)
    note(mark, "after")


@flow
def leaves(mark: str):
    note(mark, "entered")
    answer = suspend_flow_run(wait_for_input=Answer, timeout=120)
    note(mark, f"{answer.number} {answer.word}")


if __name__ == "__main__":
    name, mark, *more = sys.argv[1:]
    globals()[name](mark, *map(int, more))
