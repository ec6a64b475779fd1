"""Features that give the target away, or that name rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mlspec.engine.preparing.strength import (
    Strength,
    group_by_class,
    group_by_number,
    number_by_class,
    number_by_classes,
    number_by_number,
)
from mlspec.engine.preparing.suspicion import Suspicion
from mlspec.sdk.contract import FittedTarget

NEAR_PERFECT = 0.999
"""The strength above which a column alone tells the target."""
FEW = 20
"""Rows that each side of a comparison needs."""
DISTINCT = 0.95
"""The share of distinct values from which a column is taken for an id."""
DENSE = 3
"""Whole numbers are, where no more than so many places are there for each: chance leaves fewer distinct."""
MANY = 100
"""Whole numbers that are needed to say so."""
Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]


def suspicious_columns(
    rows: pa.Table, kinds: Mapping[str, str], target: FittedTarget, one_in: int
) -> Iterator[Suspicion]:
    """Yield the features that alone tell the target, and those whose values name rows.

    Args:
        rows: Training rows with features and target.
        kinds: The kind of each feature.
        target: What is predicted.
        one_in: How many training rows each of these stands for.
    """
    truth = _truth(rows.column(target.column), target)
    for name, kind in kinds.items():
        column = rows.column(name)
        told = _emptiness(column, truth, target) if column.null_count else None
        if told is None or told.value <= NEAR_PERFECT:
            told, empty = _strength(column, kind, truth, target), ""
        else:
            empty = " being empty or not"
        if told is not None and told.value > NEAR_PERFECT:
            text = (
                f"'{name}'{empty} alone gives the target '{target.column}' away ({told.measure} "
                f"{told.value:.5g} on {rows.num_rows} training rows): is it known before the target is? If "
                "not, put it in data.ignore"
            )
            evidence = {"measure": told.measure, "value": float(f"{told.value:.6g}"), "rows": rows.num_rows}
            yield Suspicion("gives_target_away", name, text, evidence)
        distinct = _like_an_id(column, kind, one_in)
        if distinct is not None:
            text = (
                f"'{name}' has {distinct} values in {rows.num_rows} training rows and looks like an id, "
                "which tells nothing of new rows: put it in data.key, or in data.ignore"
            )
            yield Suspicion("like_an_id", name, text, {"distinct": distinct, "rows": rows.num_rows})


def _truth(column: pa.ChunkedArray, target: FittedTarget) -> Numbers:
    if target.kind == "number":
        return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)
    return _codes(column).astype(np.float64)


def _strength(column: pa.ChunkedArray, kind: str, truth: Numbers, target: FittedTarget) -> Strength | None:
    """Return how far the rows where a column holds something tell the target; None for too few."""
    present = np.asarray(column.is_valid().to_numpy())
    if kind in ("number", "datetime"):
        values = _numbers(column)
        present &= np.isfinite(values)
        if not _enough(truth[present], target):
            return None
        return _by_number(values[present], truth[present], target)
    if not (pa.types.is_string(column.type) or pa.types.is_boolean(column.type) or _whole(column.type)):
        return None
    if not _enough(truth[present], target):
        return None
    return _by_group(_codes(column.drop_null()), truth[present], target)


def _by_number(values: Numbers, truth: Numbers, target: FittedTarget) -> Strength:
    if target.kind == "number":
        return number_by_number(values, truth)
    codes = np.unique(truth.astype(np.int64), return_inverse=True)[1]
    return number_by_class(values, codes) if codes.max() == 1 else number_by_classes(values, codes)


def _by_group(groups: Codes, truth: Numbers, target: FittedTarget) -> Strength:
    if target.kind == "number":
        return group_by_number(groups, truth)
    return group_by_class(groups, truth.astype(np.int64))


def _emptiness(column: pa.ChunkedArray, truth: Numbers, target: FittedTarget) -> Strength | None:
    empty = np.asarray(column.is_null().to_numpy()).astype(np.int64)
    if not FEW <= empty.sum() <= len(empty) - FEW or not _enough(truth, target):
        return None
    return _by_group(empty, truth, target)


def _enough(truth: Numbers, target: FittedTarget) -> bool:
    """Return whether there are rows enough: of a class target, beside those of the largest class."""
    if target.kind == "number":
        return len(truth) >= 2 * FEW
    counts = np.bincount(truth.astype(np.int64)) if len(truth) else np.zeros(1, np.int64)
    return int(counts.sum() - counts.max()) >= FEW


def _like_an_id(column: pa.ChunkedArray, kind: str, one_in: int) -> int | None:
    """Return the distinct values of a column that looks like an id."""
    held = column.drop_null()
    if kind not in ("category", "number") or len(held) < 2 * FEW:
        return None
    distinct = len(held.unique())
    if kind == "category":
        return distinct if distinct >= DISTINCT * len(held) else None
    if len(held) < MANY or distinct < DISTINCT * len(held):
        return None
    values = _numbers(held)
    if not np.array_equal(values, np.round(values)):
        return None
    dense = values.max() - values.min() < DENSE * len(held) * one_in
    return distinct if dense else None


def _codes(column: pa.ChunkedArray) -> Codes:
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), np.int64)


def _numbers(column: pa.ChunkedArray) -> Numbers:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    # A time such as the year 9999 has more digits than a double: not to the microsecond is near enough.
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)


def _whole(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind))
