"""Weights of classes and rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from mlspec.engine.training.weights import class_weights, row_weights, standardised
from mlspec.errors import StepError
from mlspec.sdk.contract import FittedTarget
from mlspec.sdk.encoded import Encoded

COLOURS = FittedTarget(column="colour", kind="category", classes=("red", "green", "blue"), counts=(5, 3, 2))
PRICE = FittedTarget(column="price", kind="number", mean=10.0, std=4.0)


def rows(target: list[float], weight: list[float] | None = None) -> Encoded:
    count = len(target)
    weights = None if weight is None else np.array(weight, np.float32)
    return Encoded(
        np.zeros((count, 1), np.float32), np.zeros((count, 0), np.int32), np.array(target, float), weights
    )


def test_balanced_is_scikit_learn_s() -> None:
    truth = np.repeat([0, 1, 2], COLOURS.counts)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=truth)
    assert class_weights("balanced", COLOURS) == pytest.approx(tuple(expected))


def test_classes_that_are_not_named_weigh_one() -> None:
    assert class_weights({"green": 3.0}, COLOURS) == (1.0, 3.0, 1.0)
    assert class_weights(None, COLOURS) is None


def test_a_label_that_is_no_class_is_refused_with_the_right_ones() -> None:
    with pytest.raises(StepError, match="'grey' is no class of 'colour'") as caught:
        class_weights({"grey": 2.0}, COLOURS)
    assert caught.value.fix == "one of red, green, blue"


def test_a_number_has_no_classes_to_weigh() -> None:
    with pytest.raises(StepError, match="no classes"):
        class_weights("balanced", PRICE)


def test_row_weights_have_a_mean_of_one_and_multiply() -> None:
    found = row_weights(rows([0, 1, 2, 0], [1, 2, 3, 0]), (1.0, 2.0, 4.0))
    assert found is not None and found.dtype == np.float32
    expected = np.array([1, 4, 12, 0])
    assert found == pytest.approx(expected / expected.mean())
    assert row_weights(rows([0, 1]), None) is None


@pytest.mark.parametrize("weight", [[1.0, -1.0], [1.0, np.nan], [np.inf, 1.0], [0.0, 0.0]])
def test_weights_that_make_no_sense_are_refused(weight: list[float]) -> None:
    with pytest.raises(StepError, match="weight"):
        row_weights(rows([0, 1], weight), None)


def test_numbers_are_learnt_around_zero_and_codes_as_they_are() -> None:
    assert standardised(rows([10, 14, 2]), PRICE).tolist() == [0, 1, -2]
    assert standardised(rows([0, 2]), COLOURS).tolist() == [0, 2]
    assert standardised(rows([10, 10]), PRICE.model_copy(update={"std": 0.0})).tolist() == [0, 0]
