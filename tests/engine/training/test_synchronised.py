"""Batch normalisation over several processes is held to that of one: weights, statistics, scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mlspec.engine.training.group import Group
from mlspec.engine.training.synchronised import Synchronised
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.model import TorchModel
from tests.engine.training.test_group import (
    MOMENTUM,
    RESNET,
    ROWS,
    SETS,
    ZERO,
    alone,
    choose,
    close,
    goes_on,
    lesson,
    shared,
    weighted,
)
from tests.planted import planted

STRATEGIES = [({"kind": "ddp"}, 2), ({"kind": "fsdp", "unit": 1}, 2), (SETS, 4)]


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    torch.set_num_threads(1)


@pytest.fixture
def zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """Import DeepSpeed once, before processes are forked."""
    monkeypatch.setenv("DS_ACCELERATOR", "cpu")
    import deepspeed  # noqa: F401


def resnet(kind: Any = "binary", strategy: Any = "ddp", rows: int = ROWS, **changes: Any) -> Any:
    options = {
        "model": choose("model", RESNET),
        "strategy": choose("strategy", strategy),
        "optimizer": choose("optimizer", MOMENTUM),
    }
    return lesson(kind, rows, **options | changes)


def alike(found: list[Any]) -> None:
    """Hold running statistics to those of the first process, bit for bit."""
    kept = [name for name in found[0][0] if "running" in name or "tracked" in name]
    assert kept
    for state, *_ in found[1:]:
        assert all(state[name].tobytes() == found[0][0][name].tobytes() for name in kept)


@pytest.mark.parametrize(("strategy", "ranks"), STRATEGIES, ids=str)
@pytest.mark.parametrize("kind", ["binary", "number"])
def test_several_processes_learn_what_one_does(kind: Any, strategy: Any, ranks: int, tmp_path: Path) -> None:
    """50 steps, of which the last has 29 rows; weights of rows, short gradients, an early stop."""
    what = resnet(
        kind, strategy, 797 if strategy is SETS else ROWS, clip_norm=0.5, patience=9,
        train=weighted(planted(kind, 797 if strategy is SETS else ROWS, 1)),
    )  # fmt: skip
    found = shared(what, tmp_path / "more", ranks)
    expected = alone(what, tmp_path)
    for one in found:
        close(one, expected, 1e-4 if strategy is SETS else 1e-5)
    alike(found)


CONSTANT = ("tables.0.weight", "enter.weight", "enter.bias", "second.bias", "running_mean")
"""What adds one number to all rows in front of a normalisation, here also the vectors of a column of one
value; and what follows it.
"""


def test_adamw_learns_what_it_does_in_one_process_but_for_what_is_normalised_away(tmp_path: Path) -> None:
    """Such weights have no gradient but rounding, which AdamW makes as large as a step: running means follow,
    and answers differ by as much as these lie behind. Training does not see it.
    """
    what = resnet(rows=320, optimizer=choose("optimizer", {"kind": "adamw", "lr": 0.01}))
    expected = alone(what, tmp_path)
    for state, history, _ in shared(what, tmp_path / "two"):
        for name, value in expected.module.state_dict().items():
            if not name.endswith(CONSTANT):
                np.testing.assert_allclose(state[name], value, rtol=1e-4, atol=1e-6, err_msg=name)
        for line, other in zip(history, expected.history, strict=True):
            assert line["train_loss"] == pytest.approx(other["train_loss"], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ZERO, ids=str)
def test_deepspeed_learns_what_one_process_does(strategy: Any, zero: None, tmp_path: Path) -> None:
    what = resnet("category", strategy)
    found = shared(what, tmp_path / "two")
    for one in found:
        close(one, alone(what, tmp_path), 1e-4)
    alike(found)


@pytest.mark.parametrize("rows", [65, 66, 2])
def test_a_process_without_a_row_has_no_part_in_the_statistics(rows: int, tmp_path: Path) -> None:
    """The last batch has one row, which running statistics normalise, or two for three processes."""
    what = resnet("number", rows=rows, val=planted("number", 1, 2), batch_size=min(rows, 32))
    found = shared(what, tmp_path / "three", ranks=3)
    for one in found:
        close(one, alone(what, tmp_path))
    alike(found)


@pytest.mark.parametrize(("before", "after"), [(2, 3), (2, 1), (1, 2)])
def test_a_killed_training_goes_on_with_other_processes(before: int, after: int, tmp_path: Path) -> None:
    goes_on(resnet(save_every=0.0, rows=800, patience=9), before, after, tmp_path)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_the_bytes_learn_the_same_but_for_their_own_rounding(precision: Any, tmp_path: Path) -> None:
    what = resnet(rows=800, precision=precision)
    found = shared(what, tmp_path / "two")
    expected = alone(what, tmp_path)
    alike(found)
    for _, history, _ in found:
        assert history[-1]["train_loss"] == pytest.approx(expected.history[-1]["train_loss"], rel=0.02)


class Of(TorchModel):
    """A module of its own, as a workspace may have."""

    norm: Any = None

    def module(self, inputs: ModelInputs, target: FittedTarget) -> nn.Module:
        return Sequence(inputs.numbers, self.norm)


class Sequence(nn.Module):
    """Numbers as a sequence of two channels, normalised over rows and places."""

    def __init__(self, numbers: int, norm: Any) -> None:
        super().__init__()
        self.enter, self.norm, self.leave = nn.Linear(numbers, 8), norm(), nn.Linear(8, 1)

    def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        return self.leave(torch.relu(self.norm(self.enter(numbers).view(-1, 2, 4)).flatten(1)))


@pytest.mark.parametrize("options", [{"momentum": None}, {"affine": False}, {"eps": 0.1}], ids=str)
def test_any_batch_normalisation_of_a_module_sees_the_batch(options: Any, tmp_path: Path) -> None:
    what = resnet(model=Of(kind="of", norm=lambda: nn.BatchNorm1d(2, **options)), rows=330)
    found = shared(what, tmp_path / "two")
    for one in found:
        close(one, alone(what, tmp_path))
    alike(found)


class Ghost(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(2)

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.norm(part) for part in value.split(3)])


def test_what_cannot_be_that_of_one_process_is_refused(tmp_path: Path) -> None:
    loose = Of(kind="of", norm=lambda: nn.BatchNorm1d(2, track_running_stats=False))
    for found in shared(resnet(model=loose), tmp_path / "loose"):
        assert "without running statistics" in found
    whole = Of(kind="of", norm=lambda: nn.BatchNorm1d(2))
    for found in shared(resnet(model=whole, accumulate=2), tmp_path / "parts"):
        assert "parts of the batch of 2 processes are not those of one" in found
    for found in shared(resnet(model=Of(kind="of", norm=Ghost)), tmp_path / "ghost"):
        assert "'BatchNorm1d' normalises 3 rows at once, and this process has 16 of the batch" in found


def test_one_process_keeps_torchs_own() -> None:
    norm = nn.BatchNorm1d(2)
    Synchronised(norm, Group())
    assert "forward" not in vars(norm)
