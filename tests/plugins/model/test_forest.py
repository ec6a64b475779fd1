"""`forest` and `tree` against scikit-learn's own answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from mlspec.engine.builder import CODES, NUMBERS
from mlspec.errors import StepError
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.model import FitOptions, Fitted
from mlspec.sdk.slot import Slot
from tests.planted import INPUTS, hostile, planted, target_of

FOUR = ModelInputs(numbers=4)


def fit(
    options: dict[str, Any],
    train: Encoded,
    target: FittedTarget,
    inputs: ModelInputs = INPUTS,
    threads: int = 1,
) -> Fitted:
    model: Any = Slot("model").choose(options)
    fitted: Fitted = model.fit(train, None, inputs, target, FitOptions(7, None, threads))
    return fitted


def answer(fitted: Fitted, rows: Encoded) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(fitted.onnx, options)
    return session.run(None, {NUMBERS: rows.numbers, CODES: rows.codes.astype(np.int64)})[0]


@pytest.mark.parametrize("kind", ["binary", "category", "number"])
@pytest.mark.parametrize("model", ["forest", "tree"])
def test_on_numbers_it_is_scikit_learn(model: str, kind: Any) -> None:
    train, held = planted(kind, 800, 1, FOUR), planted(kind, 400, 2, FOUR)
    target = target_of(kind, train)
    options = {"kind": model, "min_rows": 3} | ({"trees": 40} if model == "forest" else {})
    fitted = fit(options, train, target, FOUR)
    number = kind == "number"
    if model == "forest":
        made: Any = RandomForestRegressor if number else RandomForestClassifier
        learner = made(40, min_samples_leaf=3, random_state=7, **({} if number else {"max_features": "sqrt"}))
    else:
        learner = (DecisionTreeRegressor if number else DecisionTreeClassifier)(
            min_samples_leaf=3, random_state=7
        )
    if number:
        learner.fit(train.numbers, (train.target - target.mean) / target.std)
        assert answer(fitted, held)[:, 0] == pytest.approx(learner.predict(held.numbers), abs=1e-6)
        return
    learner.fit(train.numbers, train.target)
    expected = np.maximum(learner.predict_proba(held.numbers), 1 / (800 + len(target.classes)))
    scores = answer(fitted, held).astype(np.float64)
    if kind == "binary":
        found = 1 / (1 + np.exp(-scores[:, 0]))
        assert found == pytest.approx(expected[:, 1] / expected.sum(1), abs=1e-6)
    else:
        found = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        assert found == pytest.approx(expected / expected.sum(1, keepdims=True), abs=1e-6)


@pytest.mark.parametrize("kind", ["binary", "category", "number"])
def test_codes_that_no_training_row_held_go_where_most_rows_went(kind: Any) -> None:
    train = planted(kind, 500, 1)
    fitted = fit({"kind": "forest", "trees": 15}, train, target_of(kind, train))
    nasty = hostile(INPUTS, 500)
    assert answer(fitted, nasty) == pytest.approx(fitted.scores(nasty), abs=1e-5)
    row = planted(kind, 1, 2)
    found = set()
    for code in np.flatnonzero(np.bincount(train.codes[:, 0], minlength=6) == 0):
        codes = row.codes.copy()
        codes[:, 0] = code
        found.add(float(answer(fitted, Encoded(row.numbers, codes, row.target))[0, 0]))
    assert len(found) == 1


def test_as_many_threads_as_it_may_use_change_no_bit() -> None:
    train = planted("category", 600, 1)
    target = target_of("category", train)
    one = fit({"kind": "forest", "trees": 16}, train, target)
    two = fit({"kind": "forest", "trees": 16}, train, target, threads=2)
    assert one.onnx == two.onnx
    assert np.array_equal(one.scores(train), two.scores(train))


def test_a_class_that_no_leaf_holds_keeps_a_share() -> None:
    train = planted("binary", 400, 1)
    fitted = fit({"kind": "tree", "min_rows": 1}, train, target_of("binary", train))
    scores = answer(fitted, train)
    assert np.isfinite(scores).all()
    assert np.abs(scores).max() == pytest.approx(np.log(402), rel=1e-6)


def test_pruning_and_limits_make_smaller_trees() -> None:
    train = planted("number", 600, 1)
    target = target_of("number", train)

    def size(**options: Any) -> int:
        return len(fit({"kind": "tree", "min_rows": 1, **options}, train, target).onnx)

    assert size(pruning=0.01) < size() > size(max_leaves=8) and size(max_depth=2) < size(max_depth=6)


def test_a_class_without_a_training_row_is_refused() -> None:
    train = planted("binary", 50, 1)
    none = Encoded(train.numbers, train.codes, np.zeros(50))
    with pytest.raises(StepError, match="no training row is of the class 'yes'"):
        fit({"kind": "tree"}, none, target_of("binary", train))


def test_the_graph_is_plain_and_says_nothing_of_the_machine() -> None:
    train = planted("binary", 200, 1)
    fitted = fit({"kind": "forest", "trees": 3}, train, target_of("binary", train))
    model = onnx.load_from_string(fitted.onnx)
    assert {node.domain for node in model.graph.node} <= {"", "ai.onnx.ml"}
    assert {item.domain: item.version for item in model.opset_import} == {"": 20, "ai.onnx.ml": 4}
    assert not model.metadata_props
