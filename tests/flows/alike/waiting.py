"""Flows that pause in their process; the program resumes them, and prints what each came to."""

import asyncio
import threading
import time

from everything import come_to, is_asked
from prefect import flow, pause_flow_run, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.sorting import FlowRunSort
from prefect.flow_runs import resume_flow_run
from prefect.input import RunInput


class Answer(RunInput):
    number: int
    word: str = "none"


@task
def step(number):
    return number


@flow
def waits():
    step(1)
    pause_flow_run(timeout=60, poll_interval=1)
    return step(2)


@flow
def asks():
    answer = pause_flow_run(wait_for_input=Answer, timeout=60, poll_interval=1)
    return [answer.number, answer.word]


@flow
def asks_twice():
    first = pause_flow_run(wait_for_input=int, timeout=60, poll_interval=1)
    return first, pause_flow_run(wait_for_input=str, timeout=60, poll_interval=1)


@flow
async def waits_later():
    await asyncio.sleep(0)
    await pause_flow_run(wait_for_input=Answer.with_initial_data(number=3), timeout=60, poll_interval=1)


@flow
def gives_up():
    pause_flow_run(timeout=2, poll_interval=1)


@flow
def pauses_below():
    return waits()


def resume(name, inputs):
    """Resumes the latest run of a flow, whenever it is paused, with one of the inputs after the other."""
    paused = None
    with get_client(sync_client=True) as client:
        for given in inputs:
            while True:
                named = FlowFilter(name=FlowFilterName(any_=[name]))
                runs = client.read_flow_runs(flow_filter=named, sort=FlowRunSort.START_TIME_DESC)
                state = runs[0].state if runs else None
                if state and state.is_paused() and state.id != paused and is_asked(client, runs[0]):
                    break
                time.sleep(0.2)
            paused = state.id
            for one in given:
                print(name, "resumed", come_to(lambda: resume_flow_run(runs[0].id, run_input=one)), flush=True)


def both(call, name, *inputs):
    helper = threading.Thread(target=resume, args=(name, inputs))
    helper.start()
    print(name, come_to(call), flush=True)
    helper.join()


if __name__ == "__main__":
    both(waits, "waits", [None])
    both(asks, "asks", [None, {"number": "x"}, {}, {"number": 4, "word": "yes"}])
    both(asks_twice, "asks-twice", [{"value": 1}], [{"value": "b"}])
    both(lambda: asyncio.run(waits_later()), "waits-later", [{"number": 5}])
    both(pauses_below, "waits", [None])
    print("gives-up", come_to(gives_up))
