"""A line of corners in numpy and as nodes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from mlspec.engine.builder import Builder
from mlspec.engine.training.trees import Tree, append_trees

EDGE = 1e-7
"""How near a probability comes to 0 and 1: no answer has an infinite log loss."""


STEEP = 5.0
"""Most that a probability rises over one standard deviation of the scores: beyond, the last bits of a score
would show in the answers, and they are not the same on every machine.
"""


def corners(
    scores: NDArray[np.float64], steps: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[list[float], list[float]]:
    """Return the centres of steps, scores and heights, at least two.

    Args:
        scores: `[rows]`.
        steps: `[rows]`: the height at each score, rising with them.
        weight: `[rows]`.

    Example:
        >>> corners(np.array([0.0, 1.0, 3.0]), np.array([0.2, 0.2, 0.9]), np.ones(3))
        ([0.5, 3.0], [0.2, 0.9])
    """
    limit = STEEP / (scores.std() or 1.0)
    heights, place = np.unique(steps, return_inverse=True)
    masses = np.bincount(place, weight)
    centres = np.bincount(place, weight * scores) / np.where(masses > 0, masses, 1.0)
    kept: list[tuple[float, float, float]] = []
    for mass, centre, height in zip(masses.tolist(), centres.tolist(), heights.tolist(), strict=True):
        if not mass:
            continue
        while kept and height - kept[-1][2] > limit * (centre - kept[-1][1]):
            other, at, level = kept.pop()
            both = mass + other
            centre, height = (mass * centre + other * at) / both, (mass * height + other * level) / both
            mass = both
        kept.append((mass, centre, height))
    if len(kept) == 1:
        kept.append((0.0, kept[0][1] + 1.0, kept[0][2]))
    return [centre for _, centre, _ in kept], [height for _, _, height in kept]


def logits(
    places: Sequence[float], heights: Sequence[float], scores: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return `[rows, 1] float32` logits of the heights that a line has at `[rows, 1]` scores."""
    level = np.interp(scores.astype(np.float64), places, heights).clip(EDGE, 1.0 - EDGE)
    return np.asarray(np.log(level) - np.log(1.0 - level), np.float32)


def append(builder: Builder, scores: str, places: Sequence[float], heights: Sequence[float]) -> str:
    """Append what `logits` does and return the name of its result."""
    at, height = np.asarray(places, np.float64), np.asarray(heights, np.float64)
    if len(at) > 2:
        stretch = append_trees(builder, scores, [_search(at[1:-1])], np.zeros(1))
        place = builder.nodes("Cast", stretch, outputs=1, to=TensorProto.INT64)[0]
    else:
        place = builder.constant(np.zeros((1, 1), np.int64))
    wide = builder.nodes("Cast", scores, outputs=1, to=TensorProto.DOUBLE)[0]
    inside = builder.node("Clip", wide, builder.constant(at[0]), builder.constant(at[-1]))
    start = builder.node("Gather", builder.constant(at[:-1]), place)
    low = builder.node("Gather", builder.constant(height[:-1]), place)
    slope = builder.node("Gather", builder.constant(np.diff(height) / np.diff(at)), place)
    rise = builder.node("Mul", builder.node("Sub", inside, start), slope)
    level = builder.node(
        "Clip", builder.node("Add", low, rise), builder.constant(EDGE), builder.constant(1.0 - EDGE)
    )
    rest = builder.node("Sub", builder.constant(1.0), level)
    logit = builder.node("Sub", builder.node("Log", level), builder.node("Log", rest))
    return builder.nodes("Cast", logit, outputs=1, to=TensorProto.FLOAT)[0]


def _search(bounds: NDArray[np.float64]) -> Tree:
    """Return a balanced tree that gives the number of bounds below a value, `0 .. len(bounds)`."""
    leaf: list[bool] = []
    threshold: list[float] = []
    left: list[int] = []
    right: list[int] = []
    value: list[float] = []

    def grow(first: int, last: int) -> int:
        """Append the tree over the leaves `first` to `last`, and return its root."""
        root = len(leaf)
        middle = (first + last) // 2
        leaf.append(first == last)
        threshold.append(0.0 if first == last else float(bounds[middle]))
        value.append(float(first))
        left.append(0)
        right.append(0)
        if first < last:
            left[root], right[root] = grow(first, middle), grow(middle + 1, last)
        return root

    grow(0, len(bounds))
    count = len(leaf)
    return Tree(
        target=0,
        leaf=np.array(leaf),
        feature=np.zeros(count, np.int64),
        threshold=np.array(threshold, np.float64),
        left=np.array(left, np.int64),
        right=np.array(right, np.int64),
        missing_left=np.zeros(count, bool),
        value=np.array(value, np.float64)[:, None],
    )
