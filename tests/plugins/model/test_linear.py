"""`linear` with its equations solved: the module answers as scikit-learn's ridge does."""

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.linear_model import Ridge

from mlspec.engine.training.module import scores_of
from mlspec.engine.training.row_sums import row_sums
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.slot import Slot


def test_the_module_has_the_weights_of_the_equations_and_the_mean_for_values_without_a_row() -> None:
    random, sizes = np.random.default_rng(0), (4, 3, 4)
    codes = np.stack([random.integers(0, size - 1, 900) for size in sizes], axis=1).astype(np.int32)
    numbers = random.normal(0, 1, (900, 3)).astype(np.float32)
    truth = numbers @ [1.0, -2.0, 0.5] + codes @ [0.3, 1.0, -0.4] + random.normal(0, 0.1, 900)
    weight = random.gamma(1.0, 1.0, 900).astype(np.float32)
    target = FittedTarget(column="y", kind="number", mean=float(truth.mean()), std=float(truth.std()))
    given, inputs = Encoded(numbers, codes, truth, weight), ModelInputs(numbers=3, sizes=sizes)
    model = Slot("model").choose({"kind": "linear", "solver": "normal_equations", "ridge": 2.0})
    module = model.solve_sums(row_sums(given, inputs, target), inputs, target)
    matrix = np.concatenate([numbers, *(np.eye(size)[codes[:, at]] for at, size in enumerate(sizes))], axis=1)
    learner = Ridge(alpha=2.0, solver="svd")
    learner.fit(matrix.astype(np.float64), (truth - target.mean) / target.std, sample_weight=weight)
    found = scores_of(module, given, target)[:, 0]
    assert np.abs(found - learner.predict(matrix)).max() <= 1e-6
    unseen = Encoded(numbers[:1], np.array([[3, codes[0, 1], codes[0, 2]]], np.int32), truth[:1])
    counts = np.bincount(codes[:, 0], minlength=4)
    mean = counts @ learner.coef_[3:7] / 900
    expected = learner.predict(matrix[:1]) - learner.coef_[3 + codes[0, 0]] + mean
    assert scores_of(module, unseen, target)[0, 0] == pytest.approx(expected[0], abs=1e-6)


def test_each_solver_obeys_its_own_keys_and_learns_its_own_targets() -> None:
    model = Slot("model").choose({"kind": "linear", "solver": "normal_equations"})
    assert model.obeys() == frozenset() and model.targets() == ("number",)
    classes = Slot("model").choose({"kind": "linear", "solver": "lbfgs", "ridge": 1})
    assert classes.obeys() == {"class_weights", "calibration"} and "number" not in classes.targets()
    with pytest.raises(ValidationError, match="ridge above 0"):
        Slot("model").choose({"kind": "linear", "solver": "lbfgs"})
    usual = Slot("model").choose("linear")
    assert "epochs" in usual.obeys() and "binary" in usual.targets()
    with pytest.raises(ValidationError, match="ridge"):
        Slot("model").choose({"kind": "linear", "ridge": 1.0})
