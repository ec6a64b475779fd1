"""The step `train` on two devices: real processes, their faults, their end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from safetensors.numpy import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mlspec.plan.plain import plain
from mlspec.sdk.slot import Slot
from mlspec.spec.hardware import Hardware
from tests.lessons import parameters, trained
from tests.planted import INPUTS, hostile, planted, shards, target_of

ROOT = Path(__file__).resolve().parents[2]
TRAINING = {"epochs": 2, "batch_size": 64, "optimizer": {"kind": "sgd", "lr": 0.05}}
FAULTY = '''\
"""SGD whose second process does something at a step."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mlspec.sdk.training import Optimizer

if TYPE_CHECKING:
    import torch


class Faulty(Optimizer):
    """SGD with a fault."""

    does: str = "nothing"
    """What the second process does."""

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """Return it."""
        import torch

        does, steps = self.does, 0

        class Machine(torch.optim.SGD):
            def step(self, closure=None):
                nonlocal steps
                steps += 1
                if steps == 20 and torch.distributed.get_rank() == 1:
                    if does == "raise":
                        raise RuntimeError("the disk is gone")
                    if does != "nothing":
                        os.kill(os.getpid(), getattr(signal, does))
                return super().step(closure)

        return Machine(parameters, lr=0.05)
'''
SPEC = """\
apiVersion: mlspec/v1
name: two
data:
  source: {kind: csv, path: rows.csv}
  key: [id]
  target: {column: y, kind: binary, positive: "yes"}
  features: {size: number, town: category}
model: {kind: mlp, hidden: [8]}
training: {epochs: EPOCHS, batch_size: 8, optimizer: OPTIMIZER}
hardware: {accelerator: cpu, devices: 2, strategy: {kind: ddp}}
"""


def environment() -> dict[str, str]:
    return {**os.environ, "MLSPEC_TRUST": "1", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def workspace(folder: Path, optimizer: str, epochs: int = 2) -> None:
    rows = [
        f"r{i},{i % 17}.5,{'Bern' if i % 3 else 'Genf'},{'yes' if i % 17 > 8 else 'no'}" for i in range(900)
    ]
    (folder / "rows.csv").write_text("\n".join(["id,size,town,y", *rows]) + "\n")
    (folder / "spec.yaml").write_text(SPEC.replace("EPOCHS", str(epochs)).replace("OPTIMIZER", optimizer))
    (folder / "plugins" / "optimizer").mkdir(parents=True)
    (folder / "plugins" / "optimizer" / "faulty.py").write_text(FAULTY)


@contextmanager
def started(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run in a process of its own, and leave none behind whatever becomes of the test."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mlspec", "run"], cwd=folder, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait(60)


def ranks(parent: int) -> list[psutil.Process]:
    """Return the ranks below a process that trains."""
    return [
        child for child in psutil.Process(parent).children(recursive=True)
        if "mlspec.steps._rank" in " ".join(child.cmdline())
    ]  # fmt: skip


def wait_for_checkpoint(folder: Path, process: subprocess.Popen[str]) -> list[psutil.Process]:
    until = time.monotonic() + 120
    while not list(folder.glob(".mlspec/scratch/two.train-*/training.safetensors")):
        assert process.poll() is None and time.monotonic() < until, process.communicate()
        time.sleep(0.05)
    return ranks(process.pid)


def gone(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=20)
    return not alive


@pytest.mark.slow
@pytest.mark.parametrize("strategy", [{"kind": "ddp"}, {"kind": "fsdp", "unit": 1}], ids=["ddp", "fsdp"])
def test_two_processes_leave_what_one_leaves(strategy: dict[str, Any], tmp_path: Path) -> None:
    """50 steps, the last batch of each epoch unequal: weights, loss and the model's own answers."""
    rows = planted("binary", 1565, 1)
    parts = {"train": rows, "val": planted("binary", 301, 2), "parity": hostile(INPUTS, 40)}
    prepared = shards(tmp_path / "prepare", INPUTS, target_of("binary", rows), **parts)
    model = Slot("model").choose({"kind": "mlp", "hidden": (8,)})
    given = parameters(model, TRAINING)  # type: ignore[arg-type]
    spread = {"accelerator": "cpu", "devices": 2, "strategy": strategy}
    said: list[str] = []
    one = trained(given, prepared, tmp_path / "one")
    two = trained(
        given | {"hardware": plain(Hardware.revive(spread))}, prepared, tmp_path / "two",
        say=said.append, logs=tmp_path / "logs",
    )  # fmt: skip
    assert sorted(file.name for file in two.iterdir()) == sorted(file.name for file in one.iterdir())
    expected, found = (load_file(folder / "weights.safetensors") for folder in (one, two))
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-7, err_msg=name)
    histories = [json.loads((folder / "history.json").read_text())["epochs"] for folder in (one, two)]
    for line, other in zip(*histories, strict=True):
        assert line == pytest.approx(other, rel=1e-5)
    answers = [np.load(folder / "expected.npy") for folder in (one, two)]
    np.testing.assert_allclose(answers[1], answers[0], rtol=1e-5, atol=1e-6)
    assert json.loads((tmp_path / "logs" / "hardware.json").read_text())["processes"] == 2
    assert said == []
    seen = EventAccumulator(str(next((tmp_path / "logs").glob("*/events*"))))
    seen.Reload()
    for name, value in expected.items():
        for room in ("weights", "gradients"):
            assert sum(seen.Histograms(f"{room}/{name}")[-1].histogram_value.bucket) == value.size


@pytest.mark.slow
@pytest.mark.parametrize(
    ("does", "words"),
    [
        ("raise", "the training failed: RuntimeError: the disk is gone (process 1 of 2, counted from 0)"),
        ("SIGKILL", "process 1 of 2 of the training (counted from 0) was ended by the signal SIGKILL"),
    ],
)
def test_a_rank_that_fails_ends_the_run_with_its_own_error(does: str, words: str, tmp_path: Path) -> None:
    workspace(tmp_path, f"{{kind: faulty, lr: 0.05, does: {does}}}")
    with started(tmp_path) as process:
        _, told = process.communicate(timeout=120)
    assert process.returncode == 1, told
    assert words in told.replace("\n", " ")
    assert not [one for one in psutil.process_iter() if one.ppid() == process.pid]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "to"), [(signal.SIGINT, "parent"), (signal.SIGTERM, "rank")])
def test_a_signal_saves_and_the_run_goes_on_from_there(number: int, to: str, tmp_path: Path) -> None:
    workspace(tmp_path, "{kind: sgd, lr: 0.05}", epochs=10_000)
    with started(tmp_path) as process:
        found = wait_for_checkpoint(tmp_path, process)
        assert len(found) == 2
        # Nobody else gets in: what they listen on and talk over is the loopback interface.
        ends = [end for one in found for end in one.net_connections("inet")]
        assert ends
        assert {end.laddr.ip.removeprefix("::ffff:") for end in ends} <= {"127.0.0.1", "::1"}
        os.kill(process.pid if to == "parent" else found[1].pid, number)
        _, told = process.communicate(timeout=60)
    assert process.returncode in (130, 143), told
    assert gone(found)
    with started(tmp_path) as again:
        while not (line := again.stderr.readline()) or "resumed" not in line:  # type: ignore[union-attr]
            assert again.poll() is None
        assert "resumed from epoch" in line
        left = ranks(again.pid)
    # Nobody follows them any more.
    assert left and gone(left)
