"""A flow that needs a package which its image does not have."""

from prefect import flow


@flow
def uses_extra(mark: str):
    import prefectd_extra

    with open(mark, "a") as file:
        file.write(prefectd_extra.VALUE + "\n")
