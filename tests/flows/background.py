"""Tasks that run in the background.

    background.py serve FILE              serves them until it is killed
    background.py delay FILE COUNT FROM   hands so many in, numbered from there

Each task notes its number in the file, once it has run.
"""

import sys
import time

from prefect import task
from prefect.task_worker import serve


@task
def note(file, number):
    time.sleep(0.2)
    with open(file, "a") as marks:
        marks.write(f"{number}\n")


def main():
    _, what, file, *rest = sys.argv
    if what == "serve":
        serve(note)
        return
    count, first = map(int, rest)
    for number in range(first, first + count):
        note.delay(file, number)


if __name__ == "__main__":
    main()
