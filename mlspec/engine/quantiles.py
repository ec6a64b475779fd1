"""Quantiles of a column of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import numpy as np

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
    if not len(values):
        return []
    # DuckDB's own quantiles search anew for each share; one sort serves a thousand of them.
    place = np.asarray(shares) * (len(values) - 1)
    below = np.floor(place).astype(np.int64)
    above, part = np.minimum(below + 1, len(values) - 1), place - below
    found: list[float] = (values[below] * (1 - part) + values[above] * part).tolist()
    return found
