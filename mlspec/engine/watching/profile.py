"""The distribution of columns, in the form that monitoring compares with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mlspec.engine.checking.quantiles import interpolated
from mlspec.engine.on_disk import chosen_rows
from mlspec.engine.preparing.reference import MOST, STEPS


def profile(
    rows: int, columns: Iterable[tuple[str, pa.ChunkedArray | NDArray[np.float64]]]
) -> dict[str, Any]:
    """Return each column's quantiles or counts, as `docs/architecture.md` describes `answers.json`.

    Args:
        rows: How many there are.
        columns: Names and columns of numbers or of text.

    Example:
        >>> table = pa.table({"label": ["a", "b", "a"]})
        >>> profile(3, [("label", table["label"])])["columns"]["label"]["counts"]
        {'a': 2, 'b': 1}
    """
    return {"rows": rows, "columns": {name: profile_of(column) for name, column in columns}}


def profile_of(column: pa.ChunkedArray | NDArray[np.float64], steps: int = STEPS) -> dict[str, Any]:
    """Return the quantiles or counts of one column; of times only the nulls.

    Args:
        column: Numbers, text or times.
        steps: Steps between the smallest and the largest quantile.
    """
    if isinstance(column, np.ndarray):
        return _of_numbers(column, steps)
    if pa.types.is_timestamp(column.type):
        return {"kind": "datetime", "nulls": column.null_count}
    if not pa.types.is_floating(column.type):
        found = pc.value_counts(column.drop_null()).to_pylist()
        counts = sorted(
            ((entry["values"], entry["counts"]) for entry in found), key=lambda pair: (-pair[1], pair[0])
        )
        other = sum(count for _, count in counts[MOST:])
        return {"kind": "category", "counts": dict(counts[:MOST]), "other": other, "nulls": column.null_count}
    return _of_numbers(np.asarray(column.cast(pa.float64()).to_numpy(), np.float64), steps)


def _of_numbers(values: NDArray[np.float64], steps: int) -> dict[str, Any]:
    """Return the quantiles of the finite ones; where the numbers lie on disk, they are sorted there."""
    told = chosen_rows(values, np.isfinite(values))
    told.sort()
    quantiles = interpolated(told, [step / steps for step in range(steps + 1)])
    return {"kind": "number", "quantiles": quantiles, "nulls": len(values) - len(told)}
