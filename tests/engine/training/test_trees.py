"""The writer of trees against scikit-learn, on rows where a rounded threshold would show."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from mlspec.engine.builder import SCORES, Builder
from mlspec.engine.training.trees import Tree, append_trees, floor32


def answer(
    trees: list[Tree], base: NDArray[np.float64], rows: NDArray[np.float32], double: bool = False
) -> NDArray[np.float32]:
    builder = Builder("trees")
    builder.input("x", "float32", ("rows", rows.shape[1]))
    scores = append_trees(builder, "x", trees, base, double)
    builder.output(scores, SCORES, "float32", ("rows", len(base)))
    session = onnxruntime.InferenceSession(builder.model().SerializeToString())
    found: NDArray[np.float32] = session.run(None, {"x": rows})[0]
    return found


def trees_of(learner: HistGradientBoostingClassifier | HistGradientBoostingRegressor) -> list[Tree]:
    return [
        Tree(
            place,
            tree.nodes["is_leaf"].astype(bool),
            tree.nodes["feature_idx"].astype(np.int64),
            tree.nodes["num_threshold"].astype(np.float64),
            tree.nodes["left"].astype(np.int64),
            tree.nodes["right"].astype(np.int64),
            tree.nodes["missing_go_to_left"].astype(bool),
            tree.nodes["value"].astype(np.float64)[:, None],
        )
        for turn in learner._predictors
        for place, tree in enumerate(turn)
    ]


def awkward(rows: int, seed: int, missing: float) -> NDArray[np.float32]:
    """Timestamps, prices, integers beyond float32's exact ones, small codes, and gaps."""
    random = np.random.default_rng(seed)
    columns = [
        1.7e12 + random.integers(0, 10**9, rows),
        random.integers(0, 2000, rows) / 100,
        2**24 + random.integers(0, 200, rows),
        random.integers(0, 6, rows),
        random.standard_normal(rows),
    ]
    table = np.stack(columns, 1).astype(np.float32)
    table[random.random(table.shape) < missing] = np.nan
    return table


@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("classes", [0, 2, 4])
def test_no_row_of_a_hundred_thousand_takes_another_way(classes: int, missing: float) -> None:
    rows = awkward(100_000, 1, missing)
    clean = np.nan_to_num(rows.astype(np.float64))
    signal = np.sin(clean[:, 1]) + (clean[:, 2] % 7 > 3) + (clean[:, 3] == 2) + clean[:, 0] % 1e6 / 1e6
    if classes:
        truth = np.digitize(signal, np.quantile(signal, np.arange(1, classes) / classes))
        learner = HistGradientBoostingClassifier(max_iter=30, random_state=0).fit(rows, truth)
        expected = learner.decision_function(rows).reshape(len(rows), -1)
    else:
        learner = HistGradientBoostingRegressor(max_iter=30, random_state=0).fit(rows, signal)
        expected = learner.predict(rows).reshape(len(rows), -1)
    found = answer(trees_of(learner), learner._baseline_prediction.reshape(-1), rows)
    # A row on the wrong side of one split is off by about a leaf's answer, thousands of times more.
    assert np.abs(found - expected).max() < 3e-6


def test_gaps_that_training_never_saw_go_where_scikit_learn_sends_them() -> None:
    rows = awkward(5000, 1, 0.0)
    learner = HistGradientBoostingRegressor(max_iter=20, random_state=0).fit(rows, rows[:, 3] + rows[:, 4])
    gaps = awkward(5000, 2, 0.5)
    found = answer(trees_of(learner), learner._baseline_prediction.reshape(-1), gaps)
    assert np.abs(found[:, 0] - learner.predict(gaps)).max() < 3e-6


def test_a_tree_may_be_a_single_leaf() -> None:
    leaf = np.array([True])
    nothing = np.zeros(1)
    single = Tree(
        0,
        leaf,
        nothing.astype(int),
        nothing,
        nothing.astype(int),
        nothing.astype(int),
        ~leaf,
        np.array([[2.5]]),
    )
    rows = np.zeros((3, 2), np.float32)
    assert answer([single], np.array([1.0]), rows).tolist() == [[3.5], [3.5], [3.5]]
    assert answer([single], np.array([1.0]), rows[:0]).shape == (0, 1)


def test_a_float32_row_decides_alike_on_both_sides_of_a_rounded_threshold() -> None:
    random = np.random.default_rng(3)
    thresholds = np.concatenate(
        [
            random.standard_normal(5000) * 10.0 ** random.integers(-40, 38, 5000),
            [0.0, -0.0, np.inf, -np.inf, 1e-60, -1e-60, 1e300, -1e300, 16777216.5, -16777216.5],
        ]
    )
    rounded = floor32(thresholds)
    assert rounded.dtype == np.float32
    with np.errstate(over="ignore"):
        for step in (-2, -1, 0, 1, 2):
            rows = thresholds.astype(np.float32)
            for _ in range(abs(step)):
                rows = np.nextafter(rows, np.float32(np.inf if step > 0 else -np.inf))
            assert np.array_equal(rows.astype(np.float64) <= thresholds, rows <= rounded)


def test_sums_in_double_are_rounded_once() -> None:
    share = np.array([[0.1, 0.9]])
    nothing = np.zeros(1)
    leaf = np.ones(1, bool)
    trees = [
        Tree(
            0,
            leaf,
            nothing.astype(int),
            nothing,
            nothing.astype(int),
            nothing.astype(int),
            leaf,
            share / 1000,
        )
        for _ in range(1000)
    ]
    rows = np.zeros((2, 1), np.float32)
    found = answer(trees, np.zeros(2), rows, double=True)
    assert (found == np.array([0.1, 0.9], np.float32)).all()
    assert (answer(trees, np.zeros(2), rows) != found).any()
