"""Weighted counts of truth against answer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.on_disk import parts
from mlspec.sdk.metric import Answers


def weights(answers: Answers) -> NDArray[np.float64]:
    """Return each row's weight, `[rows]`: ones where none are given."""
    return np.ones(len(answers.truth)) if answers.weight is None else answers.weight.astype(np.float64)


def confusion(answers: Answers) -> NDArray[np.float64]:
    """Return the weight of rows by true class (first axis) and answered class, `[classes, classes]`.

    Example:
        >>> rows = Answers("binary", np.array([0.0, 1.0, 1.0]), None, np.array([0, 1, 0]), None)
        >>> confusion(rows).tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """
    assert answers.labels is not None, "a number target has no classes"
    known = 2 if answers.probabilities is None else answers.probabilities.shape[1]
    classes = max(known, *(int(codes.max(initial=-1)) + 1 for codes in (answers.truth, answers.labels)))
    cells = np.zeros(classes * classes)
    for here in parts(len(answers.truth)):
        some = answers.of(here)
        assert some.labels is not None
        cells += np.bincount(
            some.truth.astype(np.int64) * classes + some.labels, weights(some), classes * classes
        )
    return cells.reshape(classes, classes)
