"""Tasks that are submitted, mapped and run elsewhere, what is kept of them, and transactions."""

from datetime import timedelta
from time import sleep

from prefect import flow, get_run_logger, task, unmapped
from prefect.cache_policies import INPUTS, NO_CACHE, RUN_ID, TASK_SOURCE
from prefect.futures import as_completed, wait
from prefect.task_runners import ProcessPoolTaskRunner, ThreadPoolTaskRunner
from prefect.transactions import get_transaction, transaction


@task(task_run_name="add {x} and {y}")
def add(x, y=1):
    return x + y


@task
def broken():
    raise ValueError("this task fails on purpose")


@flow
def submitted():
    first = add.submit(1, 2)
    second = add.submit(first, 3)
    third = add.submit(1, 1, wait_for=[second])
    bad = broken.submit()
    never = add.submit(bad)
    done, left = wait([first, second, third, bad, never])
    assert not left
    names = [future.state.name for future in [first, second, third, bad, never]]
    return [*names, second.result(), third.result(), bad.result(raise_on_failure=False)]


@flow
def unawaited():
    return [add.submit(1), broken.submit()]


@flow
def mapped():
    # The client knows small numbers again, whichever task came to them.
    sums = add.map([1000, 2000, 3000], unmapped(10))
    doubled = add.map(sums, sums)
    return sorted(future.result() for future in as_completed(doubled)), sums.result()


@flow(task_runner=ThreadPoolTaskRunner(max_workers=2))
def threads():
    return add.map(range(4)).result()


@flow(task_runner=ProcessPoolTaskRunner(max_workers=1))
def processes():
    return add.submit(1, 2).result()


@task(task_run_name="outer {number}")
def outer(number):
    return add.submit(number).result()


@flow
def submitting_within():
    return outer.submit(1).result()


@task(cache_policy=INPUTS, persist_result=True)
def by_inputs(x):
    return x + 1


@task(cache_key_fn=lambda context, arguments: "brief", cache_expiration=timedelta(seconds=4))
def briefly(x):
    return x


@task(cache_policy=TASK_SOURCE + INPUTS - "noise", persist_result=True)
def noisy(x, noise):
    return x


@task(cache_policy=RUN_ID + INPUTS, persist_result=True)
def within_a_run(x):
    return x


@task(cache_policy=NO_CACHE, persist_result=True)
def never_cached(x):
    return x


@task(cache_policy=INPUTS, persist_result=True, refresh_cache=True)
def refreshed(x):
    return x


@flow
def caching():
    for one in [by_inputs, refreshed, never_cached, within_a_run]:
        yield [one(1), one(1), one(2), one(1, return_state=True).name]
    yield [noisy(1, 2), noisy(1, 3), noisy(2, 2)]
    yield [briefly(1), briefly(2)]
    sleep(4.1)
    yield briefly(3)


def cached():
    return list(caching()), list(caching())


@task(persist_result=True, result_serializer="json", result_storage_key="kept-{parameters[x]}.json")
def kept(x):
    return {"x": x}


@task(persist_result=False)
def forgotten():
    return "forgotten"


@flow(persist_result=True, result_serializer="json")
def keeping():
    return {"kept": kept(1), "forgotten": forgotten(), "added": add(1)}


@flow(persist_result=True)
def keeping_a_failure():
    raise ValueError("what is kept is a failure")


def kept_and_read():
    state = keeping(return_state=True)
    return [state.name, state.result(), keeping_a_failure(return_state=True).message]


@task
def write(what):
    return what


@write.on_rollback
def undo(txn):
    get_run_logger().info("undoes what is of %s", get_transaction().get("who"))


@write.on_commit
def confirm(txn):
    get_run_logger().info("confirms")


@flow
def transacted(fails: bool):
    with transaction() as txn:
        txn.set("who", "somebody")
        write("a")
        if fails:
            raise ValueError("the transaction fails on purpose")
        write("b")


@flow
def transacted_once():
    with transaction(key="once", write_on_commit=True) as txn:
        if txn.is_committed():
            return "committed before"
        write("once")
    return "committed"


ALL = [
    submitted,
    unawaited,
    mapped,
    threads,
    processes,
    submitting_within,
    cached,
    kept_and_read,
    lambda: transacted(False),
    lambda: transacted(True),
    lambda: [transacted_once(), transacted_once()],
]
