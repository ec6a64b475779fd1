"""The probability from which a binary answer is the positive class."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.judging.ranking import ranking
from mlspec.engine.on_disk import parts


def max_f1(
    scores: NDArray[np.float32], truth: NDArray[np.float64], weight: NDArray[np.float32] | None
) -> float:
    """Return the probability that cuts the rows with the best F1: half way between two scores of these rows.

    Args:
        scores: `[rows] float32` logits. Where they lie on disk, they are sorted there.
        truth: `[rows]` 0 or 1, at least one of them 1.
        weight: `[rows]`, or None; rows without weight do not count.

    Example:
        >>> max_f1(np.float32([-2, -1, 1, 3]), np.array([0.0, 0, 1, 1]), None)
        0.5
    """
    steps = ranking(truth > 0, scores, weight)
    if not len(steps.scores):
        return 0.5
    every, best, place = steps.positives[-1], -1.0, 0
    for here in parts(len(steps.scores)):
        hits = steps.positives[here]
        f1 = 2 * hits / (hits + steps.negatives[here] + every)
        highest = int(np.argmax(f1))
        if f1[highest] > best:
            best, place = float(f1[highest]), here.start + highest
    above = float(steps.scores[place])
    below = float(steps.scores[place + 1]) if place + 1 < len(steps.scores) else above - 1.0
    middle = (above + below) / 2
    # Half a hyperbolic tangent is the sigmoid, and does not overflow.
    return (1.0 + math.tanh(middle / 2)) / 2
