"""Ensembles of decision trees as one ONNX node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from mlspec.engine.builder import Builder


@dataclass(frozen=True)
class Tree:
    """One tree as arrays of its nodes, root first. Rows with `x[feature] <= threshold` go left."""

    target: int
    """The first score that this tree adds to."""
    leaf: NDArray[np.bool_]
    """`[nodes]`"""
    feature: NDArray[np.int64]
    """`[nodes]`, of no meaning at leaves."""
    threshold: NDArray[np.float64]
    """`[nodes]`, of no meaning at leaves."""
    left: NDArray[np.int64]
    """`[nodes]`"""
    right: NDArray[np.int64]
    """`[nodes]`"""
    missing_left: NDArray[np.bool_]
    """`[nodes]`: whether NaN goes left."""
    value: NDArray[np.float64]
    """`[nodes, scores]`: what a leaf adds to the first score and to those behind it."""


def append_trees(
    builder: Builder, rows: str, trees: Sequence[Tree], base: NDArray[np.float64], double: bool = False
) -> str:
    """Append the sum of trees and return the name of `[rows, len(base)] float32`.

    Args:
        builder: The graph.
        rows: Name of `[rows, features] float32`.
        trees: At least one.
        base: What each score starts from.
        double: Whether leaves are added up in double precision, and only the sum is rounded: for sums whose
            logarithm is taken.
    """
    sizes = [len(tree.leaf) for tree in trees]
    owner = np.repeat(np.arange(len(trees)), sizes)
    place = np.concatenate([np.arange(size) for size in sizes])
    leaf = np.concatenate([tree.leaf for tree in trees])
    inner = ~leaf

    def joined(name: str) -> NDArray[np.generic]:
        return np.concatenate([getattr(tree, name) for tree in trees])

    values = joined("value")[leaf]
    places, scores = np.nonzero(np.ones_like(values, bool) if values.shape[1] == 1 else values)
    thresholds = np.where(inner, joined("threshold"), 0.0)
    if double:
        rows = builder.nodes("Cast", rows, outputs=1, to=TensorProto.DOUBLE)[0]
        sums: dict[str, Any] = {
            "base_values_as_tensor": numpy_helper.from_array(base.astype(np.float64)),
            "nodes_values_as_tensor": numpy_helper.from_array(thresholds.astype(np.float64)),
            "target_weights_as_tensor": numpy_helper.from_array(values[places, scores].astype(np.float64)),
        }
    else:
        sums = {
            "base_values": base.astype(np.float32).tolist(),
            "nodes_values": floor32(thresholds).tolist(),
            "target_weights": values[places, scores].astype(np.float32).tolist(),
        }
    first = np.repeat([tree.target for tree in trees], sizes)[leaf]
    return builder.node(
        "TreeEnsembleRegressor",
        rows,
        domain="ai.onnx.ml",
        n_targets=len(base),
        **sums,
        nodes_treeids=owner.tolist(),
        nodes_nodeids=place.tolist(),
        nodes_modes=np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_featureids=np.where(inner, joined("feature"), 0).tolist(),
        nodes_truenodeids=np.where(inner, joined("left"), 0).tolist(),
        nodes_falsenodeids=np.where(inner, joined("right"), 0).tolist(),
        nodes_missing_value_tracks_true=(inner & joined("missing_left").astype(bool)).astype(int).tolist(),
        target_treeids=owner[leaf][places].tolist(),
        target_nodeids=place[leaf][places].tolist(),
        target_ids=(first[places] + scores).tolist(),
    )


def floor32(values: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return the greatest float32 not above each value.

    A float32 `x` is at most a float64 threshold exactly when it is at most this one, so that a tree fitted in
    double decides alike in single precision. Rounding to the nearest would send rows the other way.

    Example:
        >>> bool(floor32(np.array([16777216.5]))[0] == 16777216.0)
        True
    """
    with np.errstate(over="ignore"):
        near = values.astype(np.float32)
        below = np.nextafter(near, np.float32(-np.inf))
    return np.where(near.astype(np.float64) > values.astype(np.float64), below, near).astype(np.float32)
