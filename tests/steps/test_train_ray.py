"""Trainings by Ray Train, in a Ray that is started on this machine alone."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.steps.test_train_processes import environment, workspace

HARDWARE = "hardware: {accelerator: cpu, devices: 2, strategy: {kind: ddp}, launcher: ray}"


@contextmanager
def started(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "mlspec", "run", *words], cwd=folder, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait(60)


def ranks(folder: Path) -> dict[int, psutil.Process]:
    """Return the workers by their rank: each prints into a file of its own."""
    found = {}
    for one in psutil.process_iter(["cmdline"]):
        if (one.info["cmdline"] or [""])[0].startswith("ray::RayTrainWorker"):
            log = Path(f"/proc/{one.pid}/fd/1").readlink()
            if log.is_relative_to(folder):
                found[int(log.stem.removeprefix("rank-"))] = one
    return found


@pytest.mark.slow
def test_workers_train_together_and_a_signal_and_a_kill_end_them(tmp_path: Path) -> None:
    workspace(tmp_path, "{kind: sgd, lr: 0.05}", epochs=10_000)
    spec = (tmp_path / "spec.yaml").read_text()
    (tmp_path / "spec.yaml").write_text(re.sub(r"^hardware: .*$", HARDWARE, spec, flags=re.M))
    with started(tmp_path) as process:
        until = time.monotonic() + 120
        while not list(tmp_path.glob(".mlspec/scratch/two.train-*/training.safetensors")):
            assert process.poll() is None and time.monotonic() < until, process.communicate()
            time.sleep(0.1)
        found = ranks(tmp_path)
        assert set(found) == {0, 1}
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=200)
        assert process.returncode == 143, told
    assert not psutil.wait_procs(found.values(), timeout=20)[1]
    with started(tmp_path) as process:
        assert process.stderr is not None
        assert any("resumed from epoch" in line for line in process.stderr)
        ranks(tmp_path)[1].kill()
        _, told = process.communicate(timeout=200)
        assert process.returncode == 1
        told = told.replace("\n", " ")
        assert "process 1 of 2 of the training (counted from 0) ended without a word" in told
    with started(tmp_path, "training.epochs=2") as process:
        _, told = process.communicate(timeout=120)
        assert process.returncode == 0, told
    assert not ranks(tmp_path)


@pytest.mark.slow
def test_a_worker_that_fails_ends_the_run_with_its_own_error(tmp_path: Path) -> None:
    workspace(tmp_path, "{kind: faulty, lr: 0.05, does: raise}")
    spec = (tmp_path / "spec.yaml").read_text()
    (tmp_path / "spec.yaml").write_text(re.sub(r"^hardware: .*$", HARDWARE, spec, flags=re.M))
    with started(tmp_path) as process:
        _, told = process.communicate(timeout=200)
    assert process.returncode == 1, told
    words = "the training failed: RuntimeError: the disk is gone (process 1 of 2, counted from 0)"
    assert words in told.replace("\n", " ")
    # Nothing of Ray's own reaches the user.
    assert "raylet" not in told and "INFO" not in told and "WARNING" not in told, told
    assert not ranks(tmp_path)
