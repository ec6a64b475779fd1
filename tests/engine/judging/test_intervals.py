"""Intervals of measures, against scipy and against the truth that a simulation knows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mlspec.engine.judging import intervals as module
from mlspec.engine.judging.intervals import intervals
from mlspec.sdk.metric import Answers
from mlspec.sdk.slot import Slot


def metrics(*names: str):
    return tuple(Slot("metric").choose(name) for name in names)


def numbers(rows: int, seed: int = 0) -> Answers:
    generator = np.random.default_rng(seed)
    truth = generator.normal(0, 1, rows)
    return Answers("number", truth, None, None, truth + generator.normal(0, 0.5, rows))


def binary(rows: int, seed: int = 0, apart: float = 1.0) -> Answers:
    """Half of the rows positive on average; log odds that are normal, `apart` deviations from each other."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 2, rows).astype(float)
    positive = 1 / (1 + np.exp(-(generator.normal(0, 1, rows) + apart * (truth - 0.5))))
    labels = (positive >= 0.5).astype(np.int64)
    return Answers("binary", truth, np.stack([1 - positive, positive], 1), labels, None)


def test_bounds_are_those_of_a_bootstrap_that_copies_rows() -> None:
    rows = numbers(400)
    low, high = intervals(rows, metrics("mae"))["mae"]
    errors = np.abs(rows.values - rows.truth)
    expected = stats.bootstrap(
        (errors,), np.mean, method="percentile", n_resamples=5_000, random_state=np.random.default_rng(1)
    ).confidence_interval
    width = expected.high - expected.low
    assert low == pytest.approx(expected.low, abs=0.1 * width)
    assert high == pytest.approx(expected.high, abs=0.1 * width)


def test_of_many_rows_some_are_resampled_and_the_spread_is_that_of_all() -> None:
    rows = binary(40 * module.ROWS)
    right = int((rows.labels == rows.truth).sum())
    low, high = intervals(rows, metrics("accuracy"))["accuracy"]
    expected = stats.binomtest(right, len(rows.truth)).proportion_ci(0.95, method="wilson")
    assert low <= right / len(rows.truth) <= high
    assert high - low == pytest.approx(expected.high - expected.low, rel=0.25)


def test_the_same_rows_have_the_same_bounds_and_a_heavy_row_widens_them() -> None:
    rows = numbers(300)
    assert intervals(rows, metrics("mae", "r2")) == intervals(rows, metrics("mae", "r2"))
    heavy = Answers("number", rows.truth, None, None, rows.values, np.where(np.arange(300) < 5, 100.0, 1.0))
    plain, wide = (intervals(found, metrics("mae"))["mae"] for found in (rows, heavy))
    assert wide[1] - wide[0] > 3 * (plain[1] - plain[0])


def test_what_resampling_cannot_tell_has_no_interval() -> None:
    truth = np.repeat([0.0, 1.0], 20)
    perfect = Answers("binary", truth, np.stack([1 - truth, truth], 1), truth.astype(np.int64), None)
    assert intervals(perfect, metrics("accuracy", "auroc")) == {"accuracy": None, "auroc": None}
    rare = binary(40)
    rare = Answers("binary", np.arange(40) == 3, rare.probabilities, rare.labels, None)
    assert intervals(rare, metrics("auroc")) == {"auroc": None}
    assert intervals(numbers(1), metrics("mae")) == {"mae": None}


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """300 splits of 250 rows; percentile intervals are known to be a little narrow, so 90 % is the limit."""
    apart = 1.0
    known = {
        "accuracy": stats.norm.cdf(apart / 2),
        "auroc": stats.norm.cdf(apart / np.sqrt(2)),
        "mae": 0.5 * np.sqrt(2 / np.pi),
        "r2": 1 - 0.25,
        "rmse": 0.5,
    }
    held = dict.fromkeys(known, 0)
    trials = 300
    for seed in range(trials):
        found = intervals(binary(250, seed, apart), metrics("accuracy", "auroc"), 200)
        found |= intervals(numbers(250, seed), metrics("mae", "r2", "rmse"), 200)
        for name, (low, high) in found.items():
            held[name] += low <= known[name] <= high
    assert all(0.90 <= count / trials <= 0.985 for count in held.values()), held
