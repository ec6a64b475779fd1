"""The mean of something over rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.judging.confusion import weights
from mlspec.engine.on_disk import parts
from mlspec.sdk.metric import Answers


def average(answers: Answers, of: Callable[[Answers], NDArray[np.float64]]) -> float:
    """Return the weighted mean; NaN where no row has weight. Rows are looked at part by part.

    Args:
        answers: The rows.
        of: Returns the number of each row, `[rows]`.

    Example:
        >>> rows = Answers("number", np.array([1.0, 2.0]), None, None, np.array([1.0, 4.0]))
        >>> average(rows, lambda some: some.values - some.truth)
        1.0
    """
    total = mass = 0.0
    for here in parts(len(answers.truth)):
        some = answers.of(here)
        weight = weights(some)
        total += float((of(some) * weight).sum())
        mass += float(weight.sum())
    return total / mass if mass > 0 else float("nan")


def residuals(answers: Answers) -> NDArray[np.float64]:
    """Return answer minus truth of each row of a number target, `[rows]`."""
    assert answers.values is not None, "classes have no distance"
    return answers.values - answers.truth
