"""A whole file for tests: the hostile columns' feature graph, a made-up network, the tail."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlspec.engine.builder import CODES, NUMBERS, Builder
from mlspec.engine.exporting.join import Joined, Parts, join
from mlspec.engine.graph.features import build_features, input_columns, shape
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.feature import FittedColumn
from tests.hostile import types

TARGETS = (
    FittedTarget(column="y", kind="binary", classes=("no", "yes"), counts=(1, 1)),
    FittedTarget(column="y", kind="category", classes=("a", "b", "\u00e7"), counts=(1, 1, 1)),
    FittedTarget(column="y", kind="number", mean=1000.0, std=250.0),
)


def joined(columns: Sequence[FittedColumn], target: FittedTarget) -> Joined:
    """Return the file of some fitted columns and a linear network with embeddings of fixed random weights."""
    known = shape(columns)
    parts = Parts(
        name="hostile",
        features=build_features(columns),
        inputs=input_columns(columns, types()),
        target=target,
        threshold=0.5 if target.kind == "binary" else None,
    )
    return join(parts, lambda builder: _network(builder, known, target.width))


def _network(builder: Builder, known: ModelInputs, width: int) -> str:
    rng = np.random.default_rng(3)
    numbers = builder.node("Clip", NUMBERS, builder.constant(-8, "float32"), builder.constant(8, "float32"))
    weights = builder.constant(rng.normal(size=(known.numbers, width)) / 8, "float32")
    scores = builder.node("MatMul", numbers, weights)
    for place, size in enumerate(known.sizes):
        code = builder.node("Gather", CODES, builder.constant(place, "int64"), axis=1)
        table = builder.constant(rng.normal(size=(size, width)), "float32")
        scores = builder.node("Add", scores, builder.node("Gather", table, code))
    return scores
