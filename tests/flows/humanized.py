"""A flow that needs a package of the index which its image does not have."""

from prefect import flow


@flow
def humanized():
    import humanize

    print(humanize.naturalsize(4200))
