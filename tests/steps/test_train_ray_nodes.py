"""Trainings by Ray Train on a cluster of two nodes, a worker on each, in a folder that both see."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from safetensors.numpy import load_file

from tests.steps.test_train_processes import environment, workspace
from tests.steps.test_train_ray import ranks, started

SGD = "{kind: sgd, lr: 0.05}"
HARDWARE = (
    "hardware: {accelerator: cpu, devices: 2, strategy: {kind: ddp}, launcher: {kind: ray, address: AT}}"
)


CLUSTER = """\
import sys
from ray.cluster_utils import Cluster

# Not 127.0.0.1, in whose place Ray puts the machine's address on its network.
head = {"num_cpus": 1, "node_ip_address": "127.0.0.2", "include_dashboard": False}
cluster = Cluster(initialize_head=True, head_node_args=head)
try:
    cluster.add_node(num_cpus=1, node_ip_address="127.0.0.3")
    print(cluster.address, flush=True)
    sys.stdin.read()
finally:
    cluster.shutdown()
"""


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the address of a cluster of two nodes, each with room for one worker."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    # Ray's own sockets hear all interfaces: nobody without this run's token is answered.
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    process = subprocess.Popen(
        [sys.executable, "-c", CLUSTER], env=environment(), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None and process.stdin is not None
    try:
        for line in process.stdout:
            if line.startswith("127.0.0.2:"):
                break
        yield line.strip()
    finally:
        process.stdin.close()
        process.wait(120)


def write(folder: Path, address: str, optimizer: str, epochs: int = 2) -> None:
    folder.mkdir()
    workspace(folder, optimizer, epochs)
    told = HARDWARE.replace("AT", address)
    spec = (folder / "spec.yaml").read_text()
    (folder / "spec.yaml").write_text(re.sub(r"^hardware: .*$", told, spec, flags=re.M))


def followed(process: Any, folder: Path) -> dict[int, int]:
    """Return the raylet above each worker, as seen until the run ends."""
    found: dict[int, int] = {}
    until = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < until:
        for rank, worker in ranks(folder).items():
            try:
                found[rank] = worker.ppid()
            except psutil.NoSuchProcess:
                continue
        time.sleep(0.1)
    return found


@pytest.mark.slow
def test_two_nodes_learn_what_one_process_does_and_a_worker_that_fails_is_told(
    address: str, tmp_path: Path
) -> None:
    write(tmp_path / "nodes", address, SGD)
    with started(tmp_path / "nodes") as process:
        raylets = followed(process, tmp_path / "nodes")
        _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert set(raylets) == {0, 1} and raylets[0] != raylets[1], "each node has a worker"
    (tmp_path / "one").mkdir()
    workspace(tmp_path / "one", SGD)
    alone = ("hardware.devices=1", "hardware.strategy=single")
    with started(tmp_path / "one", *alone) as process:
        _, told = process.communicate(timeout=200)
    assert process.returncode == 0, told
    found, expected = (
        load_file(tmp_path / name / "artifacts/two/train/weights.safetensors") for name in ("nodes", "one")
    )
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-7, err_msg=name)
    write(tmp_path / "fails", address, "{kind: faulty, lr: 0.05, does: raise}")
    with started(tmp_path / "fails") as process:
        _, told = process.communicate(timeout=400)
    assert process.returncode == 1, told
    words = "the training failed: RuntimeError: the disk is gone (process 1 of 2, counted from 0)"
    assert words in told.replace("\n", " ")
    assert not ranks(tmp_path)


@pytest.mark.slow
def test_a_node_that_goes_ends_the_run_and_tells_of_its_worker(address: str, tmp_path: Path) -> None:
    write(tmp_path / "nodes", address, SGD, epochs=100_000)
    with started(tmp_path / "nodes") as process:
        until = time.monotonic() + 300
        while not list(tmp_path.glob("nodes/.mlspec/scratch/two.train-*/training.safetensors")):
            assert process.poll() is None and time.monotonic() < until, process.communicate()
            time.sleep(0.2)
        raylets = {rank: psutil.Process(worker.ppid()) for rank, worker in ranks(tmp_path).items()}
        # The other one has the run itself beside it.
        (gone,) = (rank for rank, one in raylets.items() if "--node_ip_address=127.0.0.3" in one.cmdline())
        for one in (raylets[gone], *raylets[gone].children(recursive=True)):
            one.kill()
        _, told = process.communicate(timeout=300)
    assert process.returncode == 1, told
    words = f"process {gone} of 2 of the training (counted from 0) ended without a word"
    assert words in told.replace("\n", " ")
