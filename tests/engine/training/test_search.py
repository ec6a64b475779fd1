"""What is found for a training: a batch that fits, and a learning rate at which it learns."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mlspec.engine.training.memory import memory
from mlspec.engine.training.search import EPOCH, batch_size, learning_rate, steepest
from mlspec.errors import StepError
from tests.engine.training.test_fit import choose, lesson, run, target_of

RATES = np.logspace(-6, 0, 100)


@pytest.mark.parametrize("middle", [1e-4, 1e-3, 1e-2])
def test_the_steepest_place_of_a_noisy_curve_is_found(middle: float) -> None:
    # A logistic curve over the logarithm of the rate falls fastest in its middle.
    curve = 1 / (1 + (RATES / middle) ** 1.5)
    noise = np.random.default_rng(0).normal(0, 0.03, len(RATES))
    found = steepest(list(RATES), list(curve + noise))
    assert found is not None and middle / 3 < found < middle * 3


def test_a_loss_that_only_grows_gives_no_rate() -> None:
    assert steepest(list(RATES), list(np.linspace(1, 2, 100))) is None
    assert steepest([1e-6] * 5, [1.0] * 5) is None


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_training_learns_best_about_the_rate_that_was_found(optimizer: str, tmp_path: Path) -> None:
    model = choose("model", {"kind": "mlp", "hidden": (16,), "dropout": 0.0})

    def what(rate: Any) -> Any:
        chosen = choose("optimizer", {"kind": optimizer, "lr": rate})
        return lesson(batch_size=32, epochs=2, schedule=None, model=model, optimizer=chosen)

    def loss(rate: float) -> float:
        try:
            return run(what(rate), tmp_path / str(rate)).history[-1]["val_loss"]
        except StepError:  # it left the finite numbers
            return float("inf")

    found = learning_rate(what(1e-3))
    losses = {factor: loss(found * factor) for factor in (0.01, 1, 100)}
    assert losses[1] < losses[0.01] and losses[1] < losses[100], (found, losses)


@pytest.mark.parametrize(("far", "least", "most"), [(0, 0.005, 0.1), (6, 0.0005, 0.1)])
def test_other_orders_of_the_rows_give_a_rate_like_it_though_some_targets_are_far_out(
    far: int, least: float, most: float
) -> None:
    for seed in range(4):
        what = lesson("number", rows=400, batch_size=64, seed=seed, optimizer=choose("optimizer", "adamw"))
        rng, truth = np.random.default_rng(seed), what.train.target.copy()
        truth[rng.choice(400, far, replace=False)] += 40 * truth.std() * rng.choice([-1, 1], far)
        train = dataclasses.replace(what.train, target=truth)
        what = dataclasses.replace(what, train=train, target=target_of("number", train))
        assert least < learning_rate(what) < most, seed


def test_what_falls_behind_the_least_loss_counts_for_nothing() -> None:
    curve = 1 / (1 + (RATES / 1e-3) ** 1.5)
    bounced = np.where(RATES > 0.1, 5.0, curve)
    bounced[RATES > 0.5] = 0.5
    found = steepest(list(RATES), list(bounced))
    assert found is not None and 3e-4 < found < 3e-3


def test_it_is_the_same_each_time_and_leaves_the_generators_alone() -> None:
    what = lesson(batch_size=32, optimizer=choose("optimizer", "adamw"), clip_norm=1.0, accumulate=2)
    before = torch.get_rng_state()
    assert learning_rate(what) == learning_rate(what)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_batch_is_the_largest_that_fits() -> None:
    what = dataclasses.replace(lesson(rows=50_000), optimizer=choose("optimizer", "adamw"))
    free = batch_size(what, 1 << 40, 1)
    assert free == 1024 and 50_000 // free >= EPOCH > 50_000 // (2 * free)

    def taken(size: int) -> int:
        single = choose("strategy", "single")
        return memory(what.model, what.inputs, what.target, what.optimizer, single, size).total

    assert batch_size(what, taken(128), 1) == 128
    assert batch_size(what, taken(128) - 1, 1) == 64
    assert batch_size(dataclasses.replace(what, strategy=choose("strategy", "ddp")), 1 << 40, 3) == 1024
    with pytest.raises(StepError, match="a batch of 1 rows takes"):
        batch_size(what, 1, 1)
    assert batch_size(lesson(rows=10, optimizer=choose("optimizer", "adamw")), 1 << 40, 4) == 4
