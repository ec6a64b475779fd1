"""From raw scores to answers that metrics can judge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlspec.sdk.contract import FittedTarget
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.metric import Answers


def answers(
    scores: NDArray[np.float32], rows: Encoded, target: FittedTarget, threshold: float = 0.5
) -> Answers:
    """Return what scores mean for rows whose truth is known.

    Args:
        scores: `[rows, target.width] float32`.
        rows: The rows that were scored.
        target: What is predicted.
        threshold: Probability from which a binary answer is the positive class.
    """
    weight = None if rows.weight is None else rows.weight.astype(np.float64)
    if target.kind == "number":
        values = scores[:, 0].astype(np.float64) * target.std + target.mean
        return Answers("number", rows.target, None, None, values, weight)
    probabilities = probabilities_of(scores, target)
    if target.kind == "binary":
        labels = (probabilities[:, 1] >= threshold).astype(np.int64)
    else:
        labels = probabilities.argmax(1).astype(np.int64)
    return Answers(target.kind, rows.target, probabilities, labels, None, weight)


def probabilities_of(scores: NDArray[np.float32], target: FittedTarget) -> NDArray[np.float64]:
    """Return `[rows, classes] float64`; for a binary target two columns, the positive class last."""
    wide = scores.astype(np.float64)
    if target.kind == "binary":
        wide = np.concatenate([np.zeros_like(wide), wide], axis=1)
    powers = np.exp(wide - wide.max(1, keepdims=True, initial=-np.inf))
    shares: NDArray[np.float64] = powers / powers.sum(1, keepdims=True)
    return shares
