"""Two machines over loopback: `mlspec run` on the first, and on the second the command that it tells."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
from safetensors.numpy import load_file

from tests.steps.test_train_processes import environment, workspace

ALONE = ("hardware.nodes=1", "hardware.strategy={kind: single}", "hardware.launcher={kind: local}")
SGD = "{kind: sgd, lr: 0.05}"


@contextmanager
def started(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", *words], cwd=folder, text=True, start_new_session=True,
        env=environment() | {"GLOO_SOCKET_IFNAME": "lo"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        for child in (
            (*psutil.Process(process.pid).children(recursive=True),) if process.poll() is None else ()
        ):
            child.kill()
        process.kill()
        process.wait(60)


def machines(folder: Path, optimizer: str, epochs: int) -> None:
    """Write a spec for two machines, both of them this one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    workspace(folder, optimizer, epochs)
    spec = (folder / "spec.yaml").read_text().replace("batch_size: 8", "batch_size: 32")
    hardware = (
        "{accelerator: cpu, nodes: 2, strategy: {kind: ddp}, "
        f"launcher: {{kind: torchrun, address: 127.0.0.1, port: {port}, wait: 60s}}}}"
    )
    (folder / "spec.yaml").write_text(re.sub(r"^hardware: .*$", f"hardware: {hardware}", spec, flags=re.M))


@contextmanager
def both(folder: Path) -> Iterator[tuple[subprocess.Popen[str], subprocess.Popen[str]]]:
    """Run on the first machine, and start on the second what it says."""
    with ExitStack() as stack:
        first = stack.enter_context(started(folder, "mlspec", "run"))
        assert first.stderr is not None
        for line in first.stderr:
            if "start on machine 2 of 2" in line:
                break
        words = shlex.split(line.partition("this folder: ")[2])
        assert words[0] == "torchrun"
        yield first, stack.enter_context(started(folder, "torch.distributed.run", *words[1:]))


@pytest.mark.slow
def test_two_machines_leave_what_one_process_leaves(tmp_path: Path) -> None:
    """57 steps, the last batch of each epoch unequal: weights, loss and the exported file's own answers."""
    machines(tmp_path, SGD, 3)
    with both(tmp_path) as (first, second):
        _, told = first.communicate(timeout=120)
        assert first.returncode == 0, told
        assert second.wait(60) == 0
    train = tmp_path / "artifacts" / "two" / "train"
    weights, history = load_file(train / "weights.safetensors"), (train / "history.json").read_text()
    answers = np.load(train / "expected.npy")
    assert not list((tmp_path / ".mlspec" / "orders").iterdir())
    with started(tmp_path, "mlspec", "run", *ALONE) as alone:
        _, told = alone.communicate(timeout=120)
        assert alone.returncode == 0, told
    for name, value in load_file(train / "weights.safetensors").items():
        np.testing.assert_allclose(weights[name], value, rtol=1e-5, atol=1e-7, err_msg=name)
    lines = [json.loads(text)["epochs"] for text in (history, (train / "history.json").read_text())]
    for line, other in zip(*lines, strict=True):
        assert line == pytest.approx(other, rel=1e-5)
    np.testing.assert_allclose(answers, np.load(train / "expected.npy"), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_a_signal_saves_and_the_run_goes_on_and_a_killed_process_ends_it(tmp_path: Path) -> None:
    machines(tmp_path, SGD, 10_000)
    with both(tmp_path) as (first, second):
        until = time.monotonic() + 120
        while not list(tmp_path.glob(".mlspec/scratch/two.train-*/training.safetensors")):
            assert first.poll() is None and time.monotonic() < until, first.communicate()
            time.sleep(0.05)
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=200)
        assert first.returncode == 143
        second.wait(60)
    with both(tmp_path) as (first, second):
        assert first.stderr is not None
        assert any("resumed from epoch" in line for line in first.stderr)
        (rank,) = psutil.Process(second.pid).children()
        os.kill(rank.pid, signal.SIGKILL)
        _, told = first.communicate(timeout=200)
        assert first.returncode == 1
        assert "process 1 of 2 of the training (counted from 0) ended without a word" in told.replace(
            "\n", " "
        )
        second.wait(60)
    assert not [
        one
        for one in psutil.process_iter(["cmdline"])
        if str(tmp_path) in " ".join(one.info["cmdline"] or ())
    ]
