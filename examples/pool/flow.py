from prefect import flow
from prefect.docker import DockerImage


@flow(log_prints=True)
def hello(name: str = "a work pool"):
    print(f"Hello from {name}!")


if __name__ == "__main__":
    # What it is built on is there already: without `pull=False` a registry is asked for it.
    image = DockerImage("prefectd-example", tag="hello", pull=False, rm=True)
    hello.deploy("example", work_pool_name="p", image=image, push=False)
