"""Rows in the order of a score, as the curves and the areas below them need them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Ranking:
    """What lies at or above each distinct score, from the highest down."""

    scores: NDArray[np.float64]
    """`[steps]` distinct scores, falling."""
    positives: NDArray[np.float64]
    """`[steps]` weight of positive rows with this score or a higher one."""
    negatives: NDArray[np.float64]
    """`[steps]` weight of the other rows with this score or a higher one."""

    @property
    def told(self) -> bool:
        """Whether there is weight on both sides, without which there is nothing to rank."""
        return bool(len(self.scores) and self.positives[-1] > 0 and self.negatives[-1] > 0)


def ranking(positive: NDArray[np.bool_], score: NDArray[np.float64], weight: NDArray[np.float64]) -> Ranking:
    """Return the cumulated weights of positive and other rows by falling score; equal scores are one step.

    Args:
        positive: `[rows]` whether a row is of the positive class.
        score: `[rows]` higher for rows that are thought positive.
        weight: `[rows]`; rows without weight do not count.

    Example:
        >>> ranking(np.array([True, False]), np.array([0.9, 0.2]), np.ones(2)).positives.tolist()
        [1.0, 1.0]
    """
    kept = weight > 0
    if not kept.all():
        positive, score, weight = positive[kept], score[kept], weight[kept]
    # Of many rows each of these arrays is large: none stays longer than it is needed.
    order = np.argsort(-score, kind="stable")
    positive, score, weight = positive[order], score[order], weight[order]
    del order, kept
    last = np.append(np.nonzero(np.diff(score))[0], len(score) - 1) if len(score) else np.zeros(0, np.int64)
    score = score[last]
    hits = np.cumsum(np.where(positive, weight, 0.0))[last]
    misses = np.cumsum(np.where(positive, 0.0, weight))[last]
    return Ranking(score, hits, misses)
