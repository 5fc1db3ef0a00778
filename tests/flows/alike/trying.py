"""Flows and tasks that are tried again, take too long, fail, or say themselves how they end."""

import time

from prefect import flow, get_run_logger, task
from prefect.states import Cancelled, Completed, Crashed, Failed

attempts = {}


def attempt(name):
    attempts[name] = attempts.get(name, 0) + 1
    return attempts[name]


def until(name, last):
    if attempt(name) < last:
        raise ValueError(f"{name} is not yet done")
    return attempts[name]


@task(retries=3, retry_delay_seconds=[0, 1, 2])
def stubborn():
    return until("the task", 3)


@task(retries=1, retry_delay_seconds=1)
def hopeless():
    raise ValueError("never")


@task(retries=3, retry_condition_fn=lambda task, run, state: False)
def unworthy():
    raise ValueError("not worth it")


@flow
def retrying_tasks():
    return [stubborn(), unworthy(return_state=True).name, hopeless(return_state=True).name]


@flow(retries=2, retry_delay_seconds=1)
def retrying():
    steady()
    return until("the flow", 3)


@task
def steady():
    return "steady"


@flow(retries=1)
def retrying_below():
    return retried_child(), until("the parent", 2)


@flow
def retried_child():
    return steady()


@flow(retries=1)
def giving_up():
    raise ValueError("gives up")


def long():
    for _ in range(100):
        time.sleep(0.1)


@task(timeout_seconds=1)
def slow_task():
    long()


@flow
def waiting_for_a_slow_task():
    return slow_task(return_state=True).name


@flow(timeout_seconds=3)
def slow():
    steady()
    long()


@flow(timeout_seconds=2, retries=1)
def slow_at_first():
    if attempt("slow") == 1:
        long()
    return "fast"


@flow
def raising():
    raise ValueError("this flow fails on purpose")


@task
def broken():
    raise ValueError("this task fails on purpose")


@flow
def raising_task():
    return broken()


@flow
def caught_task():
    try:
        broken()
    except ValueError as error:
        return str(error)


@flow
def unraised_task():
    return broken(return_state=True)


@flow
def saying_completed():
    return Completed(message="so it is", name="Done")


@flow
def saying_failed():
    return Failed(message="so it is not")


@flow
def saying_cancelled():
    return Cancelled(message="no more")


@task
def saying(state):
    return state


@flow
def saying_by_tasks():
    states = [Completed(message="a"), Failed(message="b"), Cancelled(message="c"), Crashed(message="d")]
    told = [saying.with_options(task_run_name=state.name)(state, return_state=True) for state in states]
    return [f"{state.name} {state.message}" for state in told]


@flow
def many_states():
    return [steady(return_state=True), broken(return_state=True), steady(return_state=True)]


@flow
def leaving():
    raise SystemExit(3)


@flow
def interrupted():
    steady()
    raise KeyboardInterrupt("no more")


@flow
def task_leaving():
    return exiting()


@task
def exiting():
    raise SystemExit(4)


def hook(what, run, state):
    get_run_logger().info("the hook hears %s", state.name)


def broken_hook(what, run, state):
    raise ValueError("the hook fails")


@task(on_completion=[hook], on_running=[hook])
def hooked_task():
    return 1


@task(on_failure=[hook, broken_hook])
def hooked_broken():
    raise ValueError("for the hooks")


@flow(on_running=[hook], on_completion=[hook, broken_hook], on_failure=[hook], on_crashed=[hook])
def hooked(fails: bool, leaves: bool = False):
    hooked_task()
    if leaves:
        raise SystemExit(1)
    if fails:
        hooked_broken()


ALL = [
    retrying_tasks,
    retrying,
    retrying_below,
    giving_up,
    waiting_for_a_slow_task,
    slow,
    slow_at_first,
    raising,
    raising_task,
    caught_task,
    unraised_task,
    saying_completed,
    saying_failed,
    saying_cancelled,
    saying_by_tasks,
    many_states,
    leaving,
    interrupted,
    task_leaving,
    lambda: hooked(False),
    lambda: hooked(True),
    lambda: hooked(False, leaves=True),
]
