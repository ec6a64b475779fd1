"""Training in fp16: the steps of torch's own scaler, resumed to the same bits, alike in all processes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mlspec.engine.training.chunks import Shuffled, rows_of
from mlspec.engine.training.fit import Trained
from mlspec.engine.training.seeded import seeded
from mlspec.errors import StepError
from mlspec.sdk.training import Loss, Optimizer
from tests.engine.training.test_fit import Failing, bits, lesson, run
from tests.engine.training.test_group import choose, goes_on, shared
from tests.engine.training.test_group import lesson as spread

MLP = {"kind": "mlp", "hidden": (16,), "dropout": 0.0}

STRATEGIES = ["ddp", {"kind": "fsdp", "unit": 64}, "tensor_parallel"]
ZERO = [
    pytest.param({"kind": "deepspeed", "stage": stage, "offload_optimizer": place}, marks=pytest.mark.slow)
    for stage, place in ((1, "none"), (2, "none"), (3, "none"), (2, "cpu"), (3, "cpu"))
]


def half(kind: Any = "number", **changes: Any) -> Any:
    """Return a lesson whose first gradients overflow: a batch is so small that each row weighs much."""
    return dataclasses.replace(
        lesson(kind, 200, batch_size=2, epochs=2, precision="fp16", model=choose("model", MLP)), **changes
    )


@pytest.fixture
def zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """Import DeepSpeed once, before processes are forked."""
    monkeypatch.setenv("DS_ACCELERATOR", "cpu")
    import deepspeed  # noqa: F401


class Plain(Optimizer):
    """Descent without a fused kernel, as a user's own."""

    lr: float = 0.05

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters, lr=self.lr, momentum=0.9, foreach=True)


class Broken(Loss):
    """Finite, and its gradient is not."""

    targets = ("binary", "category", "number")

    def each(self, scores: torch.Tensor, truth: torch.Tensor, kind: Any) -> torch.Tensor:
        return (scores[:, 0] * 0).abs().sqrt()


def by_hand(what: Any) -> tuple[dict[str, bytes], int]:
    """Return the weights of torch's own recipe, and the steps that it left out.

    Source: the page "Automatic Mixed Precision examples" of torch's documentation, "Gradient clipping".
    """
    with seeded(what.seed):
        module = what.model.module(what.inputs, what.target)
        optimizer = what.optimizer.build(module.parameters())
        scaler = torch.amp.GradScaler("cpu")
        chunks = Shuffled(rows_of(what.train, what.target, None), what.batch_size, what.seed)
        skipped = 0
        for _ in range(what.epochs):
            for chunk in chunks:
                parts = [torch.split(tensor, what.batch_size) for tensor in chunk[:3]]  # type: ignore[arg-type]
                for numbers, codes, truth in zip(*parts, strict=True):
                    optimizer.zero_grad()
                    with torch.autocast("cpu", torch.float16):
                        scores = module(numbers, codes)
                    scaler.scale(torch.nn.functional.mse_loss(scores.float()[:, 0], truth)).backward()
                    scaler.unscale_(optimizer)
                    torch.nn.utils.clip_grad_norm_(module.parameters(), what.clip_norm)
                    scaler.step(optimizer)
                    before = scaler.get_scale()
                    scaler.update()
                    skipped += scaler.get_scale() < before
    return {name: value.numpy().tobytes() for name, value in module.state_dict().items()}, skipped


def skips(trained: Trained) -> list[float]:
    return [line["train_skipped_steps"] for line in trained.history]


@pytest.mark.parametrize(
    "optimizer", [choose("optimizer", {"kind": "adamw", "lr": 0.01}), Plain()], ids=["fused", "plain"]
)
def test_steps_are_those_of_torchs_own_recipe(optimizer: Optimizer, tmp_path: Path) -> None:
    what = half(optimizer=optimizer, schedule=None, clip_norm=0.5, val=None)
    said: list[str] = []
    found = run(what, tmp_path, say=said.append)
    expected, skipped = by_hand(what)
    # Codes that no training row has are settled in the end.
    same = [name for name in expected if not name.startswith("tables")]
    assert len(same) == 4 and all(bits(found)[name] == expected[name] for name in same)
    assert sum(skips(found)) == skipped > 0
    assert said == [f"{skipped} of 200 steps were left out: a gradient overflowed fp16"]


@pytest.mark.parametrize("at", [3, 30, 140])
def test_a_killed_training_goes_on_with_its_scale(at: int, tmp_path: Path) -> None:
    whole = half(save_every=0.0)
    expected = run(whole, tmp_path / "whole")
    assert skips(expected)[0] > 0
    with pytest.raises(RuntimeError, match="down"):
        run(dataclasses.replace(whole, optimizer=Failing(at=at)), tmp_path)
    found = run(whole, tmp_path)
    assert bits(found) == bits(expected) and found.history == expected.history


def test_parts_of_a_batch_add_up_before_they_are_looked_at(tmp_path: Path) -> None:
    what = half(batch_size=8)
    one, other = run(what, tmp_path / "one"), run(dataclasses.replace(what, accumulate=4), tmp_path / "four")
    assert other.history[-1]["train_loss"] == pytest.approx(one.history[-1]["train_loss"], rel=0.05)


def test_gradients_that_overflow_at_any_scale_end_the_training(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="overflow fp16 however small the loss") as caught:
        run(half(loss=Broken(kind="broken")), tmp_path)
    assert "hardware.precision: bf16" in str(caught.value.fix)


def test_scores_that_fp16_cannot_hold_are_told_of_it(tmp_path: Path) -> None:
    what = half()
    numbers = what.train.numbers.copy()
    numbers[3] = 1e8
    with pytest.raises(StepError, match="no longer a finite number") as caught:
        run(dataclasses.replace(what, train=dataclasses.replace(what.train, numbers=numbers)), tmp_path)
    assert "hardware.precision: bf16" in str(caught.value.fix)


@pytest.mark.parametrize("strategy", [*STRATEGIES, *ZERO])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_two_processes_leave_out_the_same_steps(
    strategy: Any, optimizer: str, zero: None, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    what = spread(
        "number",
        rows=101,
        batch_size=2,
        precision="fp16",
        clip_norm=0.5,
        strategy=choose("strategy", strategy),
        optimizer=choose("optimizer", {"kind": optimizer, "lr": 0.01}),
    )
    alone = run(dataclasses.replace(what, strategy=None), tmp_path / "one")
    found = shared(what, tmp_path / "two")
    assert not any(isinstance(one, str) for one in found), found
    (state, history, _), (other_state, other_history, _) = found
    assert history == other_history
    assert all(np.array_equal(state[name], other_state[name]) for name in state)
    # Half of a batch weighs twice as much in each process, so it overflows at half the scale.
    left_out = sum(line["train_skipped_steps"] for line in history)
    assert 0 < sum(skips(alone)) <= left_out <= sum(skips(alone)) + 1


@pytest.mark.parametrize("strategy", [*STRATEGIES, *ZERO])
def test_two_processes_learn_what_one_does(strategy: Any, zero: None, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    what = spread(rows=500, precision="fp16", clip_norm=0.5, strategy=choose("strategy", strategy))
    alone = run(dataclasses.replace(what, strategy=None), tmp_path / "one")
    for state, history, _ in shared(what, tmp_path / "two"):
        assert history[-1]["train_loss"] == pytest.approx(alone.history[-1]["train_loss"], rel=1e-3)
        for name, value in alone.module.state_dict().items():
            # fp16 has a step of 0.001 at 1.
            np.testing.assert_allclose(state[name], value.numpy(), rtol=1e-3, atol=1e-3, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "before", "after"), [(2, 2, 2), (2, 2, 1), (3, 2, 2), (3, 1, 2)])
def test_a_killed_training_by_deepspeed_goes_on_with_its_scale(
    stage: int, before: int, after: int, zero: None, tmp_path: Path
) -> None:
    what = spread(
        rows=800, save_every=0.0, patience=9, precision="fp16",
        strategy=choose("strategy", {"kind": "deepspeed", "stage": stage}),
        optimizer=choose("optimizer", {"kind": "sgd", "lr": 0.05, "momentum": 0.9}),
    )  # fmt: skip
    goes_on(what, before, after, tmp_path, 1e-2)


def test_the_scale_of_deepspeed_is_that_of_torchs_scaler() -> None:
    from mlspec.plugins.strategy._scale import LossScale

    own, scaler = LossScale(), torch.amp.GradScaler("cpu")
    chance = np.random.default_rng(3)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))])
    (weight,) = optimizer.param_groups[0]["params"]
    for overflowed in [*[False] * 2_000, *(chance.random(200) < 0.05), *[False] * 4_001]:
        weight.grad = torch.full((1,), np.inf if overflowed else 0.0)
        scaler.scale(torch.zeros(1))
        scaler.step(optimizer)
        scaler.update()
        own.after(bool(overflowed))
    assert own.state() == scaler.state_dict()
    again = LossScale()
    again.resume(scaler.state_dict())
    assert again.state() == own.state() and again.scale_loss(torch.ones(())).item() == scaler.get_scale()
