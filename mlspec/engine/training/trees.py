"""Ensembles of decision trees as one ONNX node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.builder import Builder


@dataclass(frozen=True)
class Tree:
    """One tree as arrays of its nodes, root first. Rows with `x[feature] <= threshold` go left."""

    target: int
    """The score that this tree adds to."""
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
    """`[nodes]`: what a leaf adds."""


def append_trees(builder: Builder, rows: str, trees: Sequence[Tree], base: NDArray[np.float64]) -> str:
    """Append the sum of trees and return the name of `[rows, len(base)] float32`.

    Args:
        builder: The graph.
        rows: Name of `[rows, features] float32`.
        trees: At least one.
        base: What each score starts from.
    """
    sizes = [len(tree.leaf) for tree in trees]
    owner = np.repeat(np.arange(len(trees)), sizes)
    place = np.concatenate([np.arange(size) for size in sizes])
    leaf = np.concatenate([tree.leaf for tree in trees])
    inner = ~leaf

    def joined(name: str) -> NDArray[np.generic]:
        return np.concatenate([getattr(tree, name) for tree in trees])

    return builder.node(
        "TreeEnsembleRegressor",
        rows,
        domain="ai.onnx.ml",
        n_targets=len(base),
        base_values=base.astype(np.float32).tolist(),
        nodes_treeids=owner.tolist(),
        nodes_nodeids=place.tolist(),
        nodes_modes=np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_featureids=np.where(inner, joined("feature"), 0).tolist(),
        nodes_values=np.where(inner, floor32(joined("threshold")), np.float32(0)).tolist(),
        nodes_truenodeids=np.where(inner, joined("left"), 0).tolist(),
        nodes_falsenodeids=np.where(inner, joined("right"), 0).tolist(),
        nodes_missing_value_tracks_true=(inner & joined("missing_left").astype(bool)).astype(int).tolist(),
        target_treeids=owner[leaf].tolist(),
        target_nodeids=place[leaf].tolist(),
        target_ids=np.repeat([tree.target for tree in trees], sizes)[leaf].tolist(),
        target_weights=joined("value")[leaf].astype(np.float32).tolist(),
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
