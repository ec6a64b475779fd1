"""A second clone of a workspace: what a remote gives it back, and what it says of the rest."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.run.conftest import sh
from tests.run.test_store import locks

AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@b")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Serve an empty bucket over S3's protocol on this machine; yield its address and the server's."""
    import boto3
    from moto.server import ThreadedMotoServer

    # Keys that mean nothing, and no look for others: neither in the user's files nor on a metadata service.
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="team")
        yield "s3://team/models", endpoint
    finally:
        server.stop()


def commit(workspace: Path) -> None:
    sh("git", "add", ".", cwd=workspace)
    sh("git", *AUTHOR, "commit", "-qm", "a", cwd=workspace)


@pytest.mark.slow
def test_push_to_s3_and_pull_on_a_second_clone_leaves_nothing_to_do(workspace, commands, bucket):
    address, endpoint = bucket
    sh("git", "init", "-q", cwd=workspace)
    sh("mlspec", "run", cwd=workspace)
    sh("dvc", "remote", "add", "-d", "store", address, cwd=workspace)
    sh("dvc", "remote", "modify", "store", "endpointurl", endpoint, cwd=workspace)
    sh("dvc", "push", cwd=workspace)
    commit(workspace)
    for name, command in (("pulled", ("dvc", "pull")), ("fetched by the run", ("mlspec", "run"))):
        clone = workspace.with_name(name)
        sh("git", "clone", "-q", str(workspace), str(clone), cwd=workspace.parent)
        done = sh(*command, cwd=clone)
        assert " ran " not in done.stderr
        assert "nothing to do: all 7 steps" in sh("mlspec", "run", cwd=clone).stdout
        assert locks(clone) == locks(workspace)
        assert sh("git", "status", "--porcelain", cwd=clone).stdout == ""
        shutil.rmtree(clone)
