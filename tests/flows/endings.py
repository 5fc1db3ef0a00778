"""Flows that leave something behind, or print in unusual ways."""

import os
import subprocess
import sys
import time

from prefect import flow


def count(mark, line):
    if mark:
        with open(mark, "a") as file:
            file.write(line + "\n")


@flow
def breeder(mark: str = "", seconds: float = 600):
    """Begins a process in a session of its own, and writes its number."""
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    count(mark, str(child.pid))
    count(mark, str(os.getpid()))
    time.sleep(seconds)


@flow
def wordy(length: int = 100_000):
    """Prints a long line and a progress bar."""
    print("begin " + "0123456789" * (length // 10) + " end", flush=True)
    for step in range(20_001):
        print(f"\rstep {step} of 20000", end="")
    print(flush=True)
    print("wordy is done", flush=True)


@flow
def telling(variable: str):
    """Prints a variable of its environment."""
    print(f"{variable} is {os.environ[variable]}", flush=True)


@flow
def last_words(mark: str = "", lines: int = 500):
    count(mark, "started")
    for number in range(lines):
        print(f"word {number}")
    sys.stdout.flush()
