"""A flow that leaves artifacts of every kind, and looks them up again."""

from prefect import flow, get_client, task
from prefect.artifacts import (
    Artifact,
    create_image_artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)


@task
def measured():
    create_table_artifact(key="table", table=[{"a": 1, "b": None}], description="of a task")


@flow
def reported():
    create_markdown_artifact(key="report", markdown="# First")
    create_markdown_artifact(key="report", markdown="# Second")
    create_link_artifact(key="link", link="https://h.example", link_text="there")
    create_image_artifact(key="image", image_url="https://h.example/i.png")
    progress = create_progress_artifact(progress=10.0, key="progress")
    update_progress_artifact(artifact_id=progress, progress=70.0)
    measured()


if __name__ == "__main__":
    reported()
    assert Artifact.get("report").data == "# Second"
    assert Artifact.get("progress").data == 70.0
    assert Artifact.get("none") is None
    made, is_new = Artifact.get_or_create("apart", data="x", type="markdown")
    again, is_new_again = Artifact.get_or_create("apart", data="y", type="markdown")
    assert (is_new, is_new_again, again.data) == (True, False, made.data)
    with get_client(sync_client=True) as client:
        assert len(client.read_artifacts()) == 7
        assert len(client.read_latest_artifacts()) == 6
