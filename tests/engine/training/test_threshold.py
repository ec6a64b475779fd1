"""The threshold with the best F1, against trying every one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score

from mlspec.engine.on_disk import PART, on_disk
from mlspec.engine.training.threshold import max_f1


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("decimals", [1, 6])
def test_no_other_threshold_has_a_better_f1(seed: int, weighted: bool, decimals: int) -> None:
    random = np.random.default_rng(seed)
    truth = (random.random(200) < 0.3).astype(float)
    scores = np.round(truth * 1.5 + random.standard_normal(200), decimals).astype(np.float32)
    weight = random.uniform(0, 3, 200).astype(np.float32) if weighted else None
    shares = 1 / (1 + np.exp(-scores.astype(float)))

    def f1(threshold: float) -> float:
        return float(f1_score(truth, shares >= threshold, sample_weight=weight, zero_division=0))

    found = f1(max_f1(scores, truth, weight))
    best = max(f1(threshold) for threshold in (*shares, 0.0, 1.0))
    assert found == pytest.approx(best, abs=1e-12)


def test_the_same_score_everywhere_takes_every_row() -> None:
    assert 0 < max_f1(np.zeros(4, np.float32), np.array([0.0, 1, 1, 0]), None) < 0.5


@pytest.mark.parametrize("score", [-1e6, 1e6, 200.0])
def test_scores_far_out_are_no_trouble(score: float) -> None:
    found = max_f1(np.array([score, score - 1], np.float32), np.array([1.0, 0.0]), None)
    assert 0 <= found <= 1


@pytest.mark.parametrize("weighted", [False, True])
def test_scores_on_disk_give_the_threshold_of_scores_in_memory(weighted: bool, tmp_path: Path) -> None:
    random, rows = np.random.default_rng(1), 2 * PART + 17
    truth = (random.random(rows) < 0.3).astype(float)
    scores = np.round(truth + random.standard_normal(rows), 3).astype(np.float32)
    weight = random.integers(0, 3, rows).astype(np.float32) if weighted else None
    kept = on_disk(tmp_path, (rows, 1), np.float32)
    kept[:, 0] = scores
    found = max_f1(scores, truth, weight)
    assert max_f1(kept[:, 0], truth, weight) == found
    # All rows sorted, and the F1 of each cut, at once.
    order = np.argsort(-scores, kind="stable")
    mass = np.ones(rows) if weight is None else weight[order].astype(float)
    hits = np.cumsum(mass * truth[order])
    f1 = 2 * hits / (np.cumsum(mass) + hits[-1])
    ends = np.append(np.diff(scores[order]) != 0, True)
    best = int(np.argmax(np.where(ends, f1, -1.0)))
    middle = scores[order][best : best + 2].astype(float).mean()
    assert found == pytest.approx(1 / (1 + np.exp(-middle)), abs=1e-12)


def test_rows_without_weight_move_no_threshold() -> None:
    scores, truth = np.array([3, 1, 0, -2], np.float32), np.array([1.0, 1, 0, 0])
    without = max_f1(scores[[0, 1, 3]], truth[[0, 1, 3]], np.ones(3, np.float32))
    assert max_f1(scores, truth, np.array([1, 1, 0, 1], np.float32)) == without
