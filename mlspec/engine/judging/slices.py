"""The same measures again, for the rows of each value of a column."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mlspec.engine.judging.intervals import FEWEST, intervals
from mlspec.engine.judging.judged import Judged
from mlspec.engine.judging.measure import measure
from mlspec.errors import StepError
from mlspec.sdk.metric import Metric

FLOOR = 30
"""Rows below which measures of a slice say more about chance than about the model."""
MOST = 50
"""Values of a column that are told one by one; the rest is one slice."""


def slices(
    rows: pa.Table, columns: Sequence[str], judged: Judged, metrics: Sequence[Metric]
) -> dict[str, Any]:
    """Return the measures and their intervals for the rows of each value of each column.

    Numbers and times with more than `MOST` distinct values are cut at their quartiles.

    Args:
        rows: The judged rows with all their columns.
        columns: Those by whose values the rows are told apart.
        judged: Answers beside the truth, in the same order.
        metrics: What is measured.

    Raises:
        StepError: there is no such column.
    """
    found: dict[str, Any] = {}
    for column in columns:
        if column not in rows.column_names:
            raise StepError(
                f"there is no column '{column}' to slice by",
                where="evaluation.slices",
                fix=f"one of {', '.join(rows.column_names)}",
            )
        found[column] = [
            _slice(name, chosen, judged, metrics) for name, chosen in _parts(rows.column(column))
        ]
    return {"floor": FLOOR, "slices": found}


def _slice(
    name: str | None, chosen: NDArray[np.bool_], judged: Judged, metrics: Sequence[Metric]
) -> dict[str, Any]:
    rows = int(chosen.sum())
    if rows < FLOOR:
        return {"value": name, "rows": rows, "verdict": "too few rows"}
    answers = judged.of(chosen)
    return {
        "value": name,
        "rows": rows,
        "metrics": measure(answers, metrics),
        "intervals": intervals(answers, metrics, FEWEST),
    }


def _parts(column: pa.ChunkedArray) -> Iterator[tuple[str | None, NDArray[np.bool_]]]:
    """Yield each value's name and rows: the most frequent first, null last."""
    numeric = pa.types.is_floating(column.type) or pa.types.is_integer(column.type)
    if (numeric or pa.types.is_timestamp(column.type)) and pc.count_distinct(column).as_py() > MOST:
        texts = _ranges(column)
    else:
        words = pa.types.is_dictionary(column.type)
        texts = column if words else column.cast(pa.string()).dictionary_encode()
    encoded = texts.unify_dictionaries().combine_chunks()
    names = encoded.dictionary.cast(pa.string()).to_pylist()
    codes = np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False))
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    order = sorted(np.flatnonzero(counts).tolist(), key=lambda code: (-counts[code], names[code]))
    for code in order[:MOST]:
        yield names[code], codes == code
    if order[MOST:]:
        yield f"({len(order) - MOST} other values)", np.isin(codes, order[MOST:])
    if (codes < 0).any():
        yield None, codes < 0


def _ranges(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return each value's quartile as text, such as `[28, 37)`, in a dictionary."""
    moment = pa.types.is_timestamp(column.type)
    wide = (column.cast(pa.int64()) if moment else column).cast(pa.float64())
    values = np.asarray(wide.to_numpy(), np.float64)
    edges = np.unique(np.nanquantile(values, [0, 0.25, 0.5, 0.75, 1]))

    def shown(edge: float) -> str:
        return str(pa.scalar(int(edge), pa.int64()).cast(column.type).as_py()) if moment else f"{edge:.6g}"

    names = [
        f"[{shown(low)}, {shown(high)}{']' if high == edges[-1] else ')'}"
        for low, high in itertools.pairwise(edges)
    ]
    places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(names) - 1).astype(np.int32)
    codes = pa.array(places, mask=np.isnan(values))
    return pa.chunked_array([pa.DictionaryArray.from_arrays(codes, pa.array(names, pa.string()))])
