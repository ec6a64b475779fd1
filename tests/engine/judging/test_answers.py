"""Scores as answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax

from mlspec.engine.judging.answers import answers
from mlspec.sdk.contract import FittedTarget
from mlspec.sdk.encoded import Encoded

SCORES = np.array([[-3.0, 0.5, 2.0], [100.0, -100.0, 0.0], [1e30, -1e30, 1e30]], np.float32)


def rows(count: int) -> Encoded:
    return Encoded(
        np.zeros((count, 0), np.float32), np.zeros((count, 0), np.int32), np.arange(count, dtype=float)
    )


def test_classes_are_softmax_and_the_largest() -> None:
    target = FittedTarget(column="y", kind="category", classes=("a", "b", "c"))
    found = answers(SCORES, rows(3), target)
    assert found.probabilities == pytest.approx(softmax(SCORES.astype(float), axis=1))
    assert found.labels is not None and found.labels.tolist() == [2, 0, 0]
    assert found.values is None


def test_two_classes_are_sigmoid_and_the_threshold() -> None:
    target = FittedTarget(column="y", kind="binary", classes=("no", "yes"))
    scores = np.array([[0.0], [1.0], [-800.0], [800.0]], np.float32)
    found = answers(scores, rows(4), target, threshold=0.6)
    assert found.probabilities is not None and found.labels is not None
    assert found.probabilities[:, 1] == pytest.approx(expit(scores[:, 0].astype(float)))
    assert found.probabilities.sum(1) == pytest.approx(1)
    assert found.labels.tolist() == [0, 1, 0, 1]


def test_numbers_come_back_in_their_own_unit() -> None:
    target = FittedTarget(column="y", kind="number", mean=100.0, std=20.0)
    found = answers(SCORES[:2, :1], rows(2), target)
    assert found.values is not None and found.values.tolist() == [40.0, 2100.0]
    assert found.labels is None and found.probabilities is None


def test_no_rows_are_no_answers() -> None:
    target = FittedTarget(column="y", kind="category", classes=("a", "b", "c"))
    found = answers(SCORES[:0], rows(0), target)
    assert found.probabilities is not None and found.probabilities.shape == (0, 3)
