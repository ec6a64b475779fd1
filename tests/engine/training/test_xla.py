"""Training by torch-xla is held to training by torch, on the CPU (PJRT_DEVICE=CPU): `make test-xla`."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlspec.engine.training.fit import Trained, fit
from mlspec.sdk.context import Context
from tests.engine.training.test_group import choose, close, lesson

pytestmark = pytest.mark.xla


@pytest.fixture(autouse=True)
def cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PJRT_DEVICE", "CPU")


def alone(what: Any, folder: Path, **context: Any) -> Trained:
    given = {"workspace": folder, "scratch": folder, "say": lambda line: None} | context
    return fit(what, Context(**given), "key")


def on_xla(what: Any, **changes: Any) -> Any:
    return dataclasses.replace(what, accelerator="tpu", strategy=choose("strategy", "xla"), **changes)


def found(trained: Trained) -> Any:
    state = {name: value.numpy() for name, value in trained.module.state_dict().items()}
    return state, trained.history, trained.best_epoch


@pytest.mark.parametrize("kind", ["binary", "category", "number"])
def test_fifty_steps_are_those_of_torch(kind: Any, tmp_path: Path) -> None:
    # 49 batches of 32 rows and one of 29, and a second epoch.
    what = lesson(kind)
    close(found(alone(on_xla(what), tmp_path / "xla")), alone(what, tmp_path / "torch"), 1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", {"kind": "sgd", "nesterov": True}])
def test_every_optimizer_moves_weights(optimizer: Any, tmp_path: Path) -> None:
    what = lesson(rows=200, optimizer=choose("optimizer", optimizer), clip_norm=0.5, accumulate=2)
    one, other = alone(on_xla(what), tmp_path / "xla"), alone(what, tmp_path / "torch")
    assert one.history[-1]["train_loss"] == pytest.approx(other.history[-1]["train_loss"], rel=1e-4)


def test_bf16_learns_about_the_same_and_not_the_same(tmp_path: Path) -> None:
    what = lesson(rows=200)
    one, other = alone(on_xla(what, precision="bf16"), tmp_path / "xla"), alone(what, tmp_path / "torch")
    assert one.history[-1]["train_loss"] == pytest.approx(other.history[-1]["train_loss"], rel=0.05)
    assert one.history[-1]["train_loss"] != pytest.approx(other.history[-1]["train_loss"], rel=1e-5)


def test_a_killed_training_goes_on_with_the_same_bits_dropout_included(tmp_path: Path) -> None:
    model = choose("model", {"kind": "mlp", "hidden": (16,), "dropout": 0.3})
    whole = on_xla(lesson(model=model), save_every=0.0)
    expected = alone(whole, tmp_path / "whole")

    def stop(done: float, total: float | None, unit: str) -> None:
        if done > 2000:
            raise RuntimeError("down")

    with pytest.raises(RuntimeError, match="down"):
        alone(whole, tmp_path / "killed", progress=stop)
    again = alone(whole, tmp_path / "killed")
    for name, value in expected.module.state_dict().items():
        np.testing.assert_array_equal(again.module.state_dict()[name].numpy(), value.numpy(), err_msg=name)
    assert again.history == expected.history


APART = """
import sys
from pathlib import Path
import numpy as np
from tests.engine.training.test_xla import alone, found, lesson, on_xla

state, history, _ = found(alone(on_xla(lesson(), devices=2), Path(sys.argv[1])))
np.savez(Path(sys.argv[1]) / "state.npz", **state)
print([line["train_loss"] for line in history])
"""


def test_two_devices_in_one_process_learn_what_one_does(tmp_path: Path, root: Path) -> None:
    # A process of its own: how many devices there are is settled once in each.
    environment = {"PATH": "", "PYTHONPATH": str(root), "PJRT_DEVICE": "CPU", "CPU_NUM_DEVICES": "2"}
    run = subprocess.run(
        [sys.executable, "-c", APART, str(tmp_path)],
        env=environment,
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    expected = alone(lesson(), tmp_path / "torch")
    with np.load(tmp_path / "state.npz") as state:
        for name, value in expected.module.state_dict().items():
            np.testing.assert_allclose(state[name], value.numpy(), rtol=1e-5, atol=1e-7, err_msg=name)
    assert json.loads(run.stdout) == pytest.approx(
        [line["train_loss"] for line in expected.history], rel=1e-5
    )
