"""Trainings in jobs of a Slurm cluster of one node."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.steps.slurm_cluster import slurm_cluster
from tests.steps.test_train_processes import environment, workspace

SGD = "{kind: sgd, lr: 0.05}"
HARDWARE = (
    "hardware: {accelerator: cpu, devices: 2, strategy: {kind: ddp}, "
    "launcher: {kind: slurm, partition: debug}}"
)


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with slurm_cluster(tmp_path_factory.mktemp("slurm")) as found:
        yield found


@contextmanager
def started(folder: Path, cluster: Mapping[str, str], *words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "mlspec", "run", *words], cwd=folder, env={**cluster, **environment(),
        "PATH": cluster["PATH"]}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait(60)


def number(process: subprocess.Popen[str], state: str = "RUNNING") -> str:
    """Return the job's number once it is in a state."""
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(rf"Slurm's job (\d+): {state}", line)
        if found:
            return found[1]
    raise AssertionError("no job was told of")


def saved(folder: Path, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 120
    while not list(folder.glob(".mlspec/scratch/two.train-*/training.safetensors")):
        assert process.poll() is None and time.monotonic() < until, process.communicate()
        time.sleep(0.05)


@pytest.mark.slow
def test_a_job_is_submitted_followed_and_its_end_brought_back(
    cluster: dict[str, str], tmp_path: Path
) -> None:
    workspace(tmp_path, SGD, epochs=10_000)
    spec = (tmp_path / "spec.yaml").read_text()
    (tmp_path / "spec.yaml").write_text(re.sub(r"^hardware: .*$", HARDWARE, spec, flags=re.M))
    with started(tmp_path, cluster) as process:
        job = number(process)
        saved(tmp_path, process)
        # As Slurm does when the job's time is nearly over.
        subprocess.run(["scancel", "--signal=TERM", job], env=cluster, check=True, timeout=20)
        _, told = process.communicate(timeout=200)
        assert process.returncode == 143, told
        assert "was asked to end: the state of the training is saved" in told
    with started(tmp_path, cluster) as process:
        number(process)
        assert process.stderr is not None
        assert any("resumed from epoch" in line for line in process.stderr)
        ranks = [
            one for one in psutil.process_iter(["cmdline", "environ"])
            if (one.info["environ"] or {}).get("SLURM_PROCID") == "1"
            and one.info["cmdline"][-3:] == ["step", "two", "train"]
            and one.info["cmdline"][0] != "srun" and one.cwd() == str(tmp_path)
        ]  # fmt: skip
        os.kill(ranks[0].pid, signal.SIGKILL)
        _, told = process.communicate(timeout=200)
        assert process.returncode == 1
        assert "process 1 of 2 of the training (counted from 0) ended without a word" in told.replace(
            "\n", " "
        )
    # One process is started elsewhere as well, and what a job writes is what the run goes on with.
    one = ("hardware.devices=1", "hardware.strategy={kind: single}", "training.epochs=2")
    with started(tmp_path, cluster, *one) as process:
        _, told = process.communicate(timeout=120)
        assert process.returncode == 0, told
        assert "COMPLETED" in told
    left = subprocess.run(["squeue", "--noheader"], env=cluster, capture_output=True, timeout=20)
    assert left.stdout == b""


@pytest.mark.slow
def test_a_job_that_slurm_does_not_take_is_told(cluster: dict[str, str], tmp_path: Path) -> None:
    workspace(tmp_path, SGD)
    spec = (tmp_path / "spec.yaml").read_text()
    (tmp_path / "spec.yaml").write_text(re.sub(r"^hardware: .*$", HARDWARE, spec, flags=re.M))
    with started(tmp_path, cluster, "hardware.launcher.partition=gpu") as process:
        _, told = process.communicate(timeout=200)
    assert process.returncode == 1
    assert "Slurm did not take the job" in told and "invalid partition" in told
