"""One number out of a fraction per class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlspec.sdk.contract import TargetKind


def share(
    part: NDArray[np.float64], whole: NDArray[np.float64], cells: NDArray[np.float64], kind: TargetKind
) -> float:
    """Return `part / whole` of the positive class, or its mean over the classes that occur.

    Args:
        part: `[classes]` numerator.
        whole: `[classes]` denominator; where it is 0 the fraction counts as 0.
        cells: `[classes, classes]` weights by true and answered class: a class occurs where it has any.
        kind: `binary` looks at the last class only.

    Returns:
        A fraction 0-1; NaN where no class occurs (binary: where the positive class does not).

    Source: scikit-learn, "Metrics and scoring", precision, recall and F-measures (`zero_division=0`).
    """
    occurs = cells.sum(axis=0) + cells.sum(axis=1) > 0
    if kind == "binary":
        occurs[:-1] = False
    if not occurs.any():
        return float("nan")
    fractions = np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
    return float(fractions[occurs].mean())
