"""Flows in processes of their own that end in each way there is. The program forks one process for
each, since they begin faster so, and prints how each ended."""

import os
import signal
import sys
import time
from pathlib import Path

from everything import await_told
from prefect import flow, task


@task
def step():
    return 1


@flow
def completes():
    return step()


@flow
def fails():
    raise ValueError("this flow fails on purpose")


@flow
def exits():
    step()
    sys.exit(5)


def begun(mark):
    Path(mark).touch()
    while True:
        time.sleep(0.1)


def step_and_tell():
    step()
    await_told()


@flow
def told(mark: str):
    step_and_tell()
    begun(mark)


@flow
def told_below(mark: str):
    step_and_tell()
    below(mark)


@flow
def below(mark: str):
    step_and_tell()
    begun(mark)


@task
def long_task(mark):
    begun(mark)


@flow
def told_in_a_task(mark: str):
    step_and_tell()
    long_task(mark)


@flow(retries=2)
def told_with_retries(mark: str):
    step_and_tell()
    begun(mark)


@flow
def dies():
    step_and_tell()
    os._exit(6)


ENDINGS = {
    "completes": (lambda mark: completes(), None),
    "fails": (lambda mark: fails(), None),
    "exits": (lambda mark: exits(), None),
    "told": (told, signal.SIGTERM),
    "told_below": (told_below, signal.SIGTERM),
    "told_in_a_task": (told_in_a_task, signal.SIGTERM),
    "told_with_retries": (told_with_retries, signal.SIGTERM),
    "interrupted": (told.with_options(name="told-interrupted"), signal.SIGINT),
    "dies": (lambda mark: dies(), None),
}

if __name__ == "__main__":
    (folder,) = sys.argv[1:]
    children = {}
    for name, (run, _) in ENDINGS.items():
        child = os.fork()
        if child == 0:
            sys.stdout = open(os.devnull, "w")
            run(f"{folder}/{name}")
            sys.exit(0)
        children[name] = child
    for name, child in children.items():
        ending = ENDINGS[name][1]
        if ending:
            while not Path(f"{folder}/{name}").exists():
                time.sleep(0.1)
            os.kill(child, ending)
        _, status = os.waitpid(child, 0)
        print(name, os.waitstatus_to_exitcode(status), flush=True)
