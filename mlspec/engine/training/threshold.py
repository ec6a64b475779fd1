"""The probability from which a binary answer is the positive class."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def max_f1(
    scores: NDArray[np.float32], truth: NDArray[np.float64], weight: NDArray[np.float32] | None
) -> float:
    """Return the probability that cuts the rows with the best F1: half way between two scores of these rows.

    Args:
        scores: `[rows] float32` logits.
        truth: `[rows]` 0 or 1, at least one of them 1.
        weight: `[rows]`, or None.

    Example:
        >>> max_f1(np.float32([-2, -1, 1, 3]), np.array([0.0, 0, 1, 1]), None)
        0.5
    """
    order = np.argsort(-scores, kind="stable")
    scores, truth = scores[order].astype(np.float64), truth[order]
    each = np.ones(len(truth)) if weight is None else weight[order].astype(np.float64)
    positive = each * truth
    hits, taken = np.cumsum(positive), np.cumsum(each)
    f1 = 2 * hits / (taken + positive.sum())
    ends = np.append(scores[1:] != scores[:-1], True)
    best = int(np.argmax(np.where(ends, f1, -1.0)))
    below = scores[best + 1] if best + 1 < len(scores) else scores[best] - 1.0
    middle = float(scores[best] + below) / 2
    # Half a hyperbolic tangent is the sigmoid, and does not overflow.
    return (1.0 + math.tanh(middle / 2)) / 2
