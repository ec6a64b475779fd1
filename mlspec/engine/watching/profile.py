"""The distribution of columns, in the form that monitoring compares with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlspec.engine.checking.quantiles import interpolated
from mlspec.engine.preparing.reference import MOST, STEPS


def profile(table: pa.Table) -> dict[str, Any]:
    """Return each column's quantiles or counts, as `docs/architecture.md` describes `answers.json`.

    Args:
        table: Columns of numbers or of text.

    Example:
        >>> profile(pa.table({"label": ["a", "b", "a"]}))["columns"]["label"]["counts"]
        {'a': 2, 'b': 1}
    """
    return {
        "rows": table.num_rows,
        "columns": {name: profile_of(table.column(name)) for name in table.column_names},
    }


def profile_of(column: pa.ChunkedArray, steps: int = STEPS) -> dict[str, Any]:
    """Return the quantiles or counts of one column; of times only the nulls.

    Args:
        column: Numbers, text or times.
        steps: Steps between the smallest and the largest quantile.
    """
    if pa.types.is_timestamp(column.type):
        return {"kind": "datetime", "nulls": column.null_count}
    if not pa.types.is_floating(column.type):
        found = pc.value_counts(column.drop_null()).to_pylist()
        counts = sorted(
            ((entry["values"], entry["counts"]) for entry in found), key=lambda pair: (-pair[1], pair[0])
        )
        other = sum(count for _, count in counts[MOST:])
        return {"kind": "category", "counts": dict(counts[:MOST]), "other": other, "nulls": column.null_count}
    values = np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)
    told = values[np.isfinite(values)]
    quantiles = interpolated(np.sort(told), [step / steps for step in range(steps + 1)])
    return {"kind": "number", "quantiles": quantiles, "nulls": len(values) - len(told)}
