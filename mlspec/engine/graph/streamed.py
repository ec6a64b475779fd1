"""Bounds and exact sums of columns whose rows stream by: the same as a database finds, in less time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mlspec.engine.behind import behind

CELLS = 2**19
"""Values that are looked at at once, about: with what is made of them they stay in a core's cache."""
_HALF = 21
"""Binary digits of the lower half of a whole step: products of two such halves add up within 64 bits."""

Look = Callable[[str, NDArray[np.float64]], None]


def stream(table: ibis.Table, columns: Mapping[str, ibis.Column], look: Look) -> None:
    """Call `look` with each column's finite numbers, part by part; its rows are read once.

    Args:
        table: Rows that are here.
        columns: Expressions over the table, float64, by any name.
        look: Given a name and numbers, in a thread of its own.
    """
    if not columns:
        return
    places = {f"v{place}": column for place, column in enumerate(columns.values())}

    def take(batch: pa.RecordBatch) -> None:
        for name, column in zip(columns, batch.columns, strict=True):
            values = np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
            known = np.isfinite(values)
            look(name, values if known.all() else values[known])

    rows = max(CELLS // len(columns), 1024)
    behind(table.select(**places).to_pyarrow_batches(chunk_size=rows), take)


def streamed_bounds(table: ibis.Table, numbers: Mapping[str, ibis.Column]) -> dict[str, Any]:
    """Return the values of `bound_aggregates`, by name.

    Args:
        table: Rows that are here.
        numbers: Expressions over the table, float64, by any name.
    """
    rows = dict.fromkeys(numbers, 0)
    ends: dict[str, tuple[float, float]] = {}

    def look(name: str, values: NDArray[np.float64]) -> None:
        if len(values):
            rows[name] += len(values)
            low, high = ends.get(name, (np.inf, -np.inf))
            ends[name] = min(low, float(values.min())), max(high, float(values.max()))

    stream(table, numbers, look)
    found: dict[str, Any] = {}
    for name in numbers:
        low, high = ends.get(name, (None, None))
        found |= {f"{name}.rows": rows[name], f"{name}.low": low, f"{name}.high": high}
    return found


def streamed_sums(
    table: ibis.Table, numbers: Mapping[str, ibis.Column], grids: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[int, int]]:
    """Return the sums of numbers in whole steps from a middle, halves away from zero, and of their squares.

    Args:
        table: Rows that are here.
        numbers: Expressions over the table, float64, by any name.
        grids: What `grid` gives of each that is summed up.
    """
    found = dict.fromkeys(grids, (0, 0))

    def look(name: str, values: NDArray[np.float64]) -> None:
        middle, step = grids[name]
        total, squares = _sums(whole_steps(values, middle, step))
        found[name] = found[name][0] + total, found[name][1] + squares

    stream(table, {name: numbers[name] for name in grids}, look)
    return found


def whole_steps(values: NDArray[np.float64], middle: float, step: float) -> NDArray[np.int64]:
    """Return how many steps numbers are from a middle; halves go away from zero, as databases round them.

    Example:
        >>> whole_steps(np.array([0.0, 2.5, -2.5]), 0.0, 1.0)
        array([ 0,  3, -3])
    """
    units = (values - middle) / step
    whole = np.rint(units)
    halves = np.abs(units - whole) == 0.5
    if halves.any():
        whole[halves] = np.trunc(units[halves]) + np.sign(units[halves])
    return whole.astype(np.int64)


def _sums(steps: NDArray[np.int64]) -> tuple[int, int]:
    high, low = steps >> _HALF, steps & (1 << _HALF) - 1
    both, lower = int(np.dot(high, low)), int(np.dot(low, low))
    return int(steps.sum()), (int(np.dot(high, high)) << 2 * _HALF) + (both << _HALF + 1) + lower
