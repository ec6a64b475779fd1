"""How `forest` and `tree` are fitted and written."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from mlspec.engine.beat import beat
from mlspec.engine.builder import SCORES, Builder
from mlspec.engine.training.trees import Tree, append_trees
from mlspec.engine.training.weights import row_weights, standardised
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.model import FitOptions, Fitted

from ._tree_rows import append_rows, check_classes, rows_of, table_of


def fit(
    learner: Any, train: Encoded, inputs: ModelInputs, target: FittedTarget, options: FitOptions
) -> Fitted:
    """Fit one of scikit-learn's trees or forests on encoded rows."""
    check_classes(train, target)
    table = table_of(train, inputs)
    made = _noted(learner)

    def look() -> None:
        begun = sum(hasattr(tree, "tree_") for tree in made)
        if begun:
            # As many as there are threads may still grow.
            options.progress(max(0, begun - options.threads), learner.n_estimators, "trees")

    with beat(look):
        learner.fit(
            rows_of(train, table, inputs),
            standardised(train, target),
            sample_weight=row_weights(train, options.class_weights),
        )
    if hasattr(learner, "estimators_"):
        learner.n_jobs = 1  # several threads would add up the trees' answers in any order
    least = 1.0 / (train.rows + len(target.classes))
    return Fitted(
        _write(learner, table, inputs, target, least), _Predict(learner, table, inputs, target, least)
    )


def _noted(learner: Any) -> list[Any]:
    """Return a list into which a forest puts its trees before they grow: its own is filled at the end."""
    made: list[Any] = []
    if hasattr(learner, "_make_estimator"):
        make = learner._make_estimator

        def noting(*given: Any, **options: Any) -> Any:
            made.append(make(*given, **options))
            return made[-1]

        learner._make_estimator = noting
    return made


class _Predict:
    """The library's own answers."""

    def __init__(
        self,
        learner: Any,
        table: NDArray[np.float32],
        inputs: ModelInputs,
        target: FittedTarget,
        least: float,
    ) -> None:
        self.learner, self.table, self.inputs, self.target = learner, table, inputs, target
        self.least = least

    def __call__(self, rows: Encoded) -> NDArray[np.float32]:
        if not rows.rows:
            return np.zeros((0, self.target.width), np.float32)
        given = rows_of(rows, self.table, self.inputs)
        if self.target.kind == "number":
            return np.asarray(self.learner.predict(given), np.float32)[:, None]
        logs = np.log(np.maximum(self.learner.predict_proba(given), self.least))
        return np.asarray(logs if self.target.kind == "category" else logs[:, 1:] - logs[:, :1], np.float32)


def _write(
    learner: Any, table: NDArray[np.float32], inputs: ModelInputs, target: FittedTarget, least: float
) -> bytes:
    """Return a graph from rows to scores: of a class, the logarithm of its mean share over the trees.

    A share is held above `least`, since no number of training rows shows that a class never occurs; in double
    and class by class, since a logarithm tells of a small share what single precision has lost.
    """
    builder = Builder("forest")
    rows = append_rows(builder, table, inputs)
    made = [one.tree_ for one in getattr(learner, "estimators_", [learner])]
    base = np.zeros(max(1, len(target.classes)))
    shares = append_trees(builder, rows, [_tree(one, len(made)) for one in made], base, double=True)
    scores = shares
    if target.kind != "number":
        held = builder.node("Max", shares, builder.constant(np.array(least, np.float32)))
        # In double: single precision's logarithm of a row alone and in a batch differ in the last bit.
        logs = builder.node("Log", builder.nodes("Cast", held, outputs=1, to=TensorProto.DOUBLE)[0])
        if target.kind == "binary":
            logs = builder.node("MatMul", logs, builder.constant(np.array([[-1.0], [1.0]])))
        scores = builder.nodes("Cast", logs, outputs=1, to=TensorProto.FLOAT)[0]
    builder.output(scores, SCORES, "float32", ("rows", target.width))
    written: bytes = builder.model().SerializeToString(deterministic=True)
    return written


def _tree(made: Any, trees: int) -> Tree:
    return Tree(
        target=0,
        leaf=made.children_left < 0,
        feature=made.feature.astype(np.int64),
        threshold=made.threshold.astype(np.float64),
        left=made.children_left.astype(np.int64),
        right=made.children_right.astype(np.int64),
        missing_left=made.missing_go_to_left.astype(bool),
        value=made.value[:, 0, :].astype(np.float64) / trees,
    )
