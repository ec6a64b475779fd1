"""What is particular to `gradient_boosting`."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from mlspec.engine.builder import CODES, NUMBERS
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.model import FitOptions, Fitted
from mlspec.sdk.slot import Slot
from tests.planted import INPUTS, hostile, planted, target_of

OPTIONS = FitOptions(seed=0, class_weights=None, threads=1)


def fit(
    options: dict[str, Any],
    train: Encoded,
    val: Encoded | None,
    target: FittedTarget,
    inputs: ModelInputs = INPUTS,
) -> Fitted:
    model: Any = Slot("model").choose({"kind": "gradient_boosting", **options})
    fitted: Fitted = model.fit(train, val, inputs, target, OPTIONS)
    return fitted


def answer(fitted: Fitted, rows: Encoded) -> Any:
    session = onnxruntime.InferenceSession(fitted.onnx)
    return session.run(None, {NUMBERS: rows.numbers, CODES: rows.codes.astype(np.int64)})[0]


@pytest.mark.parametrize("kind", ["binary", "category", "number"])
def test_on_numbers_it_is_scikit_learn(kind: Any) -> None:
    inputs = ModelInputs(numbers=4)
    train = planted(kind, 800, 1, inputs)
    held = planted(kind, 400, 2, inputs)
    target = target_of(kind, train)
    fitted = fit({"trees": 25}, train, None, target, inputs)
    if kind == "number":
        learner: Any = HistGradientBoostingRegressor(max_iter=25, early_stopping=False, random_state=0)
        learner.fit(train.numbers, (train.target - target.mean) / target.std)
        expected = learner.predict(held.numbers)
    else:
        learner = HistGradientBoostingClassifier(max_iter=25, early_stopping=False, random_state=0)
        expected = learner.fit(train.numbers, train.target).decision_function(held.numbers)
    assert answer(fitted, held) == pytest.approx(expected.reshape(400, -1), abs=2e-6)


def test_its_quantile_is_scikit_learn_s() -> None:
    inputs = ModelInputs(numbers=4)
    train, held = planted("number", 800, 1, inputs), planted("number", 400, 2, inputs)
    target = target_of("number", train)
    model: Any = Slot("model").choose({"kind": "gradient_boosting", "trees": 25})
    asked = dataclasses.replace(OPTIONS, loss=Slot("loss").choose({"kind": "quantile", "q": 0.9}))
    fitted = model.fit(train, None, inputs, target, asked)
    learner = HistGradientBoostingRegressor(
        loss="quantile", quantile=0.9, max_iter=25, early_stopping=False, random_state=0
    )
    learner.fit(train.numbers, (train.target - target.mean) / target.std)
    assert answer(fitted, held)[:, 0] == pytest.approx(learner.predict(held.numbers), abs=2e-6)


def test_it_stops_on_val_and_keeps_the_best_round() -> None:
    train, val = planted("binary", 300, 1), planted("binary", 300, 2)
    target = target_of("binary", train)
    stopped = fit({"trees": 300, "learning_rate": 0.5, "patience": 5}, train, val, target)
    losses = [line["val_loss"] for line in stopped.history]
    assert len(losses) < 300
    best = int(np.argmin(losses)) + 1
    assert best < len(losses)
    same = fit({"trees": best, "learning_rate": 0.5}, train, None, target)
    assert np.array_equal(stopped.scores(val), same.scores(val))
    assert np.array_equal(answer(stopped, val), answer(same, val))
    loss = np.logaddexp(0, np.where(val.target == 1, -1, 1) * stopped.scores(val)[:, 0]).mean()
    assert loss == pytest.approx(min(losses), rel=1e-5)


def test_several_classes_that_are_two_add_up_to_the_binary_answer() -> None:
    train = planted("binary", 500, 1)
    binary = fit({"trees": 10}, train, None, target_of("binary", train))
    target = FittedTarget(column="y", kind="category", classes=("no", "yes"), counts=(1, 1))
    both = fit({"trees": 10}, train, None, target)
    rows = hostile(INPUTS, 100)
    found = answer(both, rows)
    assert found.shape == (100, 2)
    assert found[:, 1] - found[:, 0] == pytest.approx(answer(binary, rows)[:, 0], abs=1e-5)
    assert both.scores(rows) == pytest.approx(found, abs=1e-5)


def test_codes_that_training_never_saw_are_answered_alike() -> None:
    train = planted("number", 500, 1)
    fitted = fit({"trees": 30}, train, None, target_of("number", train))
    rows = planted("number", 1, 2)
    unseen = np.flatnonzero(np.bincount(train.codes[:, 0], minlength=6) == 0)
    assert len(unseen) >= 2
    found = set()
    for code in unseen:
        codes = rows.codes.copy()
        codes[:, 0] = code
        found.add(float(answer(fitted, Encoded(rows.numbers, codes, rows.target))[0, 0]))
    assert len(found) == 1


def test_the_graph_is_plain_and_says_nothing_of_the_machine() -> None:
    train = planted("binary", 200, 1)
    model = onnx.load_from_string(fit({"trees": 3}, train, None, target_of("binary", train)).onnx)
    assert {node.domain for node in model.graph.node} <= {"", "ai.onnx.ml"}
    assert {item.domain: item.version for item in model.opset_import} == {"": 20, "ai.onnx.ml": 4}
    assert not model.metadata_props


@pytest.mark.parametrize(
    "options", [{"trees": 0}, {"learning_rate": 0.0}, {"max_leaves": 1}, {"max_bins": 256}, {"patience": 0}]
)
def test_options_beyond_their_limits_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Slot("model").choose({"kind": "gradient_boosting", **options})
