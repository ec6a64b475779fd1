"""Quantiles of a column of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import numpy as np
from numpy.typing import NDArray

from mlspec.engine.sql import quote

MOST = 2_000_000
"""Rows that are sorted at most; of larger tables a fixed scattering of about as many is taken."""


def quantiles(table: ibis.Table, column: str, shares: Sequence[float], rows: int) -> list[float]:
    """Return the quantiles of a float64 column, interpolated linearly; nulls are left out.

    Args:
        table: Has the column and `mlspec_row`.
        column: Its name.
        shares: Of rows below each quantile (fractions 0-1).
        rows: Rows of the table.
    """
    name = quote(column)
    query = f"SELECT {name} FROM ({ibis.to_sql(table, dialect='duckdb')}) WHERE {name} IS NOT NULL"
    if rows > MOST:
        # Row numbers times an odd number modulo 2^32 are spread evenly: a sample that needs no generator.
        query += f" AND (mlspec_row % 4294967296) * 2654435761 % 4294967296 < {int(2**32 * MOST / rows)}"
    values = np.sort(table.get_backend().con.execute(query).to_arrow_table().column(0).to_numpy())
    # DuckDB's own quantiles search anew for each share; one sort serves a thousand of them.
    return interpolated(values, shares)


def interpolated(values: NDArray[np.float64], shares: Sequence[float]) -> list[float]:
    """Return the quantiles of sorted numbers, interpolated linearly; between equal ones exactly that number.

    Example:
        >>> interpolated(np.array([1.0, 2.0, 2.0, 4.0]), [0, 0.5, 1])
        [1.0, 2.0, 4.0]
    """
    if not len(values):
        return []
    place = np.asarray(shares) * (len(values) - 1)
    below = np.floor(place).astype(np.int64)
    low, high, part = values[below], values[np.minimum(below + 1, len(values) - 1)], place - below
    # A weighted sum of two equal numbers may be off by a bit: rows would seem to lie beside their quantile.
    found: list[float] = np.where(low == high, low, low * (1 - part) + high * part).tolist()
    return found
