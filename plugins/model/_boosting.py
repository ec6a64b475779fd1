"""How `gradient_boosting` is fitted and written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from mlspec.engine.beat import beat
from mlspec.engine.builder import SCORES, Builder
from mlspec.engine.training.trees import Tree, append_trees
from mlspec.engine.training.weights import row_weights, standardised
from mlspec.errors import StepError
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.model import FitOptions, Fitted

from ._tree_rows import append_rows, check_classes, rows_of, table_of


def fit(
    arguments: Mapping[str, Any],
    train: Encoded,
    val: Encoded | None,
    inputs: ModelInputs,
    target: FittedTarget,
    options: FitOptions,
) -> Fitted:
    """Fit scikit-learn's trees on encoded rows; `arguments` are those of its own learner."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    _check(train, val, target, stops=arguments["early_stopping"])
    table = table_of(train, inputs)
    made = HistGradientBoostingRegressor if target.kind == "number" else HistGradientBoostingClassifier
    learner = made(**arguments, **_loss(options))
    held: dict[str, Any] = {}
    if arguments["early_stopping"] and val is not None:
        held = {
            "X_val": rows_of(val, table, inputs),
            "y_val": standardised(val, target),
            "sample_weight_val": row_weights(val, options.class_weights),
        }

    def look() -> None:
        if rounds := len(getattr(learner, "_predictors", ())):
            options.progress(rounds - 1, arguments["max_iter"], unit)

    unit = "rounds at most" if arguments["early_stopping"] else "rounds"
    with threadpool_limits(options.threads, user_api="openmp"), beat(look):
        learner.fit(
            rows_of(train, table, inputs),
            standardised(train, target),
            sample_weight=row_weights(train, options.class_weights),
            **held,
        )
    if held:
        best = max(1, int(np.argmax(learner.validation_score_)))
        del learner._predictors[best:]
    return Fitted(
        _write(learner, table, inputs, target), _Predict(learner, table, inputs, target), _history(learner)
    )


def _loss(options: FitOptions) -> dict[str, Any]:
    """Return the loss in scikit-learn's words, which takes the others by itself."""
    if options.loss is None or options.loss.kind != "quantile":
        return {}
    return {"loss": "quantile", "quantile": options.loss.model_dump()["q"]}


def _check(train: Encoded, val: Encoded | None, target: FittedTarget, stops: bool) -> None:
    if stops and (val is None or not val.rows):
        raise StepError(
            "model.patience stops on the val split, and no row is in it",
            where="model.patience",
            fix="set data.split.val above 0, or leave model.patience out",
        )
    check_classes(train, target)


class _Predict:
    """The library's own answers."""

    def __init__(
        self, learner: Any, table: NDArray[np.float32], inputs: ModelInputs, target: FittedTarget
    ) -> None:
        self.learner, self.table, self.inputs, self.target = learner, table, inputs, target

    def __call__(self, rows: Encoded) -> NDArray[np.float32]:
        if not rows.rows:
            return np.zeros((0, self.target.width), np.float32)
        answer = self.learner.predict if self.target.kind == "number" else self.learner.decision_function
        scores = answer(rows_of(rows, self.table, self.inputs)).reshape(rows.rows, -1)
        if scores.shape[1] != self.target.width:
            # Of two classes scikit-learn gives one score, whatever the target is called.
            scores = np.concatenate([-scores / 2, scores / 2], axis=1)
        return np.ascontiguousarray(scores, np.float32)


def _write(learner: Any, table: NDArray[np.float32], inputs: ModelInputs, target: FittedTarget) -> bytes:
    builder = Builder("gradient_boosting")
    rows = append_rows(builder, table, inputs)
    base = np.asarray(learner._baseline_prediction, np.float64).reshape(-1)
    trees = [_tree(tree.nodes, place) for turn in learner._predictors for place, tree in enumerate(turn)]
    scores = append_trees(builder, rows, trees, base)
    if len(base) != target.width:
        scores = builder.node("Mul", scores, builder.constant(np.array([[-0.5, 0.5]], np.float32)))
    builder.output(scores, SCORES, "float32", ("rows", target.width))
    written: bytes = builder.model().SerializeToString(deterministic=True)
    return written


def _tree(nodes: NDArray[Any], target: int) -> Tree:
    return Tree(
        target=target,
        leaf=nodes["is_leaf"].astype(bool),
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        missing_left=nodes["missing_go_to_left"].astype(bool),
        value=nodes["value"].astype(np.float64)[:, None],
    )


def _history(learner: Any) -> tuple[Mapping[str, float], ...]:
    scores = zip(learner.train_score_[1:], learner.validation_score_[1:], strict=False)
    return tuple({"train_loss": -float(train), "val_loss": -float(val)} for train, val in scores)
