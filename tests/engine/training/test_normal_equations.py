"""Weights of the normal equations, held against scikit-learn's least squares."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.preprocessing import OneHotEncoder

from mlspec.engine.training.normal_equations import normal_equations
from mlspec.engine.training.row_sums import row_sums
from mlspec.errors import StepError
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded

SIZES = (6, 9)
TARGET = FittedTarget(column="y", kind="number", mean=50.0, std=20.0)


def rows(weighted: bool, seed: int = 0, count: int = 3_000) -> Encoded:
    """Numbers of unlike scales far from 0, two that nearly say the same, and codes, some rare."""
    random = np.random.default_rng(seed)
    plain = random.normal(0, 1, (count, 4))
    plain[:, 3] = plain[:, 0] + 1e-3 * plain[:, 3]
    numbers = (plain * [1.0, 1e-4, 1e4, 1.0] + [1e2, 0.5, 1e6, -3.0]).astype(np.float32)
    codes = np.stack([random.integers(0, 5, count), random.zipf(1.6, count).clip(1, 9) - 1], axis=1)
    truth = 40 + 3 * plain[:, 0] - 5 * plain[:, 2] + codes[:, 0] + random.normal(0, 2, count)
    weight = random.gamma(1.0, 2.0, count).astype(np.float32) if weighted else None
    return Encoded(numbers, codes.astype(np.int32), truth, weight)


def indicators(given: Encoded) -> np.ndarray:
    known = [np.arange(size) for size in SIZES]
    found = OneHotEncoder(categories=known, sparse_output=False).fit_transform(given.codes)
    return np.concatenate([given.numbers.astype(np.float64), found], axis=1)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ridge", [0.0, 0.1, 50.0])
def test_answers_are_those_of_scikit_learn(ridge: float, weighted: bool) -> None:
    given, matrix = rows(weighted), indicators(rows(weighted))
    shape = ModelInputs(numbers=4, sizes=SIZES)
    constant, found = normal_equations(row_sums(given, shape, TARGET), ridge)
    truth = (given.target - TARGET.mean) / TARGET.std
    # Least squares does not depend on scales, and scikit-learn's is exact where they are alike.
    seen = (
        matrix
        if ridge
        else (matrix - matrix.mean(axis=0)) / np.where(matrix.std(axis=0) > 0, matrix.std(axis=0), 1)
    )
    learner = Ridge(alpha=ridge, solver="svd") if ridge else LinearRegression(tol=1e-12)
    expected = learner.fit(seen, truth, sample_weight=given.weight).predict(seen)
    assert np.abs(constant + matrix @ found - expected).max() <= 1e-6
    if ridge:
        assert np.abs(found[:4] - learner.coef_[:4]).max() <= 1e-6


@pytest.mark.parametrize("numbers", [0, 4])
def test_numbers_alone_and_codes_alone_are_solved(numbers: int) -> None:
    given = rows(weighted=True)
    sizes = () if numbers else SIZES
    part = Encoded(given.numbers[:, :numbers], given.codes[:, : len(sizes)], given.target, given.weight)
    constant, found = normal_equations(row_sums(part, ModelInputs(numbers=numbers, sizes=sizes), TARGET), 0.0)
    matrix = indicators(given)[:, :numbers] if numbers else indicators(given)[:, 4:]
    truth = (given.target - TARGET.mean) / TARGET.std
    matrix = matrix if not numbers else (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    expected = LinearRegression(tol=1e-12).fit(matrix, truth, sample_weight=given.weight).predict(matrix)
    plain = indicators(given)[:, :numbers] if numbers else indicators(given)[:, 4:]
    assert np.abs(constant + plain @ found - expected).max() <= 1e-6


def test_rows_that_weigh_nothing_and_too_many_columns_are_told() -> None:
    given, shape = rows(weighted=False, count=20), ModelInputs(numbers=4, sizes=SIZES)
    weightless = Encoded(given.numbers, given.codes, given.target, np.zeros(20, np.float32))
    with pytest.raises(StepError, match="weight is zero"):
        row_sums(weightless, shape, TARGET)
    with pytest.raises(StepError, match="too many"):
        row_sums(given, ModelInputs(numbers=4, sizes=(6, 6_000)), TARGET)
