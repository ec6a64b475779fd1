"""Logistic regression at once, beside scikit-learn's on the same rows."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from mlspec.engine.training import lbfgs as module
from mlspec.engine.training.lbfgs import lbfgs
from mlspec.errors import StepError
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded

SIZES = (4, 3)
INPUTS = ModelInputs(numbers=3, sizes=SIZES)


def _drawn(classes: int) -> tuple[Encoded, FittedTarget, np.ndarray]:
    random = np.random.default_rng(classes)
    codes = np.stack([random.integers(0, size, 900) for size in SIZES], axis=1).astype(np.int32)
    numbers = random.normal(0, 1, (900, 3)).astype(np.float32)
    matrix = np.concatenate([numbers, *(np.eye(size)[codes[:, at]] for at, size in enumerate(SIZES))], axis=1)
    scores = matrix @ random.normal(0, 1, (10, classes)) + random.gumbel(0, 1, (900, classes))
    truth = scores.argmax(1)
    target = FittedTarget(
        column="y",
        kind="binary" if classes == 2 else "category",
        classes=tuple(f"c{place}" for place in range(classes)),
        counts=tuple(np.bincount(truth, minlength=classes).tolist()),
    )
    weight = random.gamma(1.0, 1.0, 900).astype(np.float32)
    return Encoded(numbers, codes, truth.astype(np.float64), weight), target, matrix


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("ridge", [0.1, 10.0])
def test_it_answers_as_scikit_learn(classes: int, ridge: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", 257)
    rows, target, matrix = _drawn(classes)
    factors = tuple(1.0 + place for place in range(classes))
    constants, found = lbfgs(rows, INPUTS, target, ridge, factors)
    weight = rows.weight * np.asarray(factors)[rows.target.astype(int)]
    learner = LogisticRegression(C=1 / ridge, tol=1e-9, max_iter=10_000)
    learner.fit(matrix, rows.target, sample_weight=weight)
    scores = matrix @ found.T + constants
    theirs = learner.decision_function(matrix).reshape(len(matrix), -1)
    if classes > 2:  # a constant beside all scores changes no probability
        scores, theirs = (each - each.mean(1, keepdims=True) for each in (scores, theirs))
    assert np.abs(scores - theirs).max() <= 1e-4


def test_what_has_no_answer_is_told() -> None:
    rows, target, _ = _drawn(2)
    none = Encoded(rows.numbers[:0], rows.codes[:0], rows.target[:0])
    with pytest.raises(StepError, match="no row"):
        lbfgs(none, INPUTS, target, 1.0)
    with pytest.raises(StepError, match="weight is zero"):
        lbfgs(Encoded(rows.numbers, rows.codes, rows.target, rows.weight * 0), INPUTS, target, 1.0)
