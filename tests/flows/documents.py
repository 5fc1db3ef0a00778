"""Flows with large results."""

from prefect import flow


@flow
def large(megabytes: int = 1):
    return b"x" * (megabytes * 1024 * 1024)
