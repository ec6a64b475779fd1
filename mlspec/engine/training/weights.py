"""What each row weighs in the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mlspec.errors import StepError
from mlspec.sdk.contract import FittedTarget
from mlspec.sdk.encoded import Encoded

PIECE = 4_000_000
"""Rows whose weights are added up at once."""


def class_weights(
    wanted: Literal["balanced"] | Mapping[str, float] | None, target: FittedTarget
) -> tuple[float, ...] | None:
    """Return one factor a class, in the order of the codes, or None where all weigh the same.

    `balanced` gives each class the same sum: rows / (classes x rows of the class).

    Raises:
        StepError: the target has no classes, or a label is none of them.

    Example:
        >>> target = FittedTarget(column="y", kind="binary", classes=("no", "yes"), counts=(30, 10))
        >>> class_weights("balanced", target)
        (0.6666666666666666, 2.0)
    """
    if wanted is None:
        return None
    where = "training.class_weights"
    if target.kind == "number":
        raise StepError("a number has no classes that could be weighed", where=where, fix="remove it")
    if wanted == "balanced":
        rows = sum(target.counts)
        return tuple(rows / (len(target.classes) * count) if count else 1.0 for count in target.counts)
    for label in wanted:
        if label not in target.classes:
            raise StepError(
                f"'{label}' is no class of '{target.column}'",
                where=where,
                fix=f"one of {', '.join(target.classes)}",
            )
    return tuple(float(wanted.get(label, 1.0)) for label in target.classes)


def row_weights(rows: Encoded, factors: tuple[float, ...] | None) -> NDArray[np.float32] | None:
    """Return what each row weighs, `[rows] float32` with a mean of 1, or None where all weigh the same.

    The mean of 1 keeps the loss, and with it the learning rate's meaning, independent of the weights' unit.

    Raises:
        StepError: a weight is negative or not finite, or all are zero.
    """
    mean = mean_weight(rows, factors)
    return None if mean is None else (_weights(rows, factors) / mean).astype(np.float32)


def mean_weight(rows: Encoded, factors: tuple[float, ...] | None) -> float | None:
    """Return the mean of what rows weigh, or None where all weigh the same; few are in memory at once.

    Raises:
        StepError: a weight is negative or not finite, or all are zero.
    """
    if rows.weight is None and factors is None:
        return None
    total = 0.0
    for start in range(0, rows.rows, PIECE):
        part = _weights(rows.part(slice(start, start + PIECE)), factors)
        if not np.isfinite(part).all() or (part < 0).any():
            raise StepError(
                "a row's weight is negative or not finite", where="data.weight", fix="mend the column"
            )
        total += float(part.sum())
    if rows.rows and not total:
        raise StepError("every row's weight is zero", where="data.weight", fix="mend the column")
    return total / rows.rows if rows.rows else 1.0


def _weights(rows: Encoded, factors: tuple[float, ...] | None) -> NDArray[np.float64]:
    weight = np.ones(rows.rows) if rows.weight is None else rows.weight.astype(np.float64)
    if factors is not None:
        weight = weight * np.asarray(factors, np.float64)[rows.target.astype(np.int64)]
    return weight


def standardised(rows: Encoded, target: FittedTarget) -> NDArray[np.float64]:
    """Return what a model learns, `[rows] float64`: class codes, or `(y - mean) / std` of a number target."""
    if target.kind != "number":
        return rows.target
    return (rows.target - target.mean) / (target.std or 1.0)
