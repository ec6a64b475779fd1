"""From raw scores to answers that metrics can judge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.on_disk import beside, parts
from mlspec.sdk.contract import FittedTarget
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.metric import Answers


def answers(
    scores: NDArray[np.float32], rows: Encoded, target: FittedTarget, threshold: float = 0.5
) -> Answers:
    """Return what scores mean for rows whose truth is known, beside the scores: on disk, or in memory.

    Args:
        scores: `[rows, target.width] float32`.
        rows: The rows that were scored.
        target: What is predicted.
        threshold: Probability from which a binary answer is the positive class.
    """
    count = len(scores)
    # What is mapped is the step's before this one: nothing may be put beside it.
    truth = np.asarray(rows.target)
    weight = None
    if rows.weight is not None:
        weight = beside(scores, (count,), np.float64)
        for here in parts(count):
            weight[here] = rows.weight[here]
    if target.kind == "number":
        values = beside(scores, (count,), np.float64)
        for here in parts(count):
            values[here] = scores[here, 0].astype(np.float64) * target.std + target.mean
        return Answers("number", truth, None, None, values, weight)
    # A class after the other, so that each lies in one piece.
    shares = beside(scores, (len(target.classes), count), np.float64).T
    labels = beside(scores, (count,), np.int64)
    for here in parts(count):
        shares[here] = probabilities_of(scores[here], target)
        labels[here] = shares[here, 1] >= threshold if target.kind == "binary" else shares[here].argmax(1)
    return Answers(target.kind, truth, shares, labels, None, weight)


def probabilities_of(scores: NDArray[np.float32], target: FittedTarget) -> NDArray[np.float64]:
    """Return `[rows, classes] float64`; for a binary target two columns, the positive class last."""
    wide = scores.astype(np.float64)
    if target.kind == "binary":
        wide = np.concatenate([np.zeros_like(wide), wide], axis=1)
    powers = np.exp(wide - wide.max(1, keepdims=True, initial=-np.inf))
    shares: NDArray[np.float64] = powers / powers.sum(1, keepdims=True)
    return shares
