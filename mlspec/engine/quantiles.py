"""Quantiles of a column of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import ibis

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
    wanted = ", ".join(map(repr, shares))
    query = f"SELECT quantile_cont({quote(column)}, [{wanted}]) FROM ({ibis.to_sql(table, dialect='duckdb')})"
    if rows > MOST:
        # Row numbers times an odd number modulo 2^32 are spread evenly: a sample that needs no generator.
        query += f" WHERE (mlspec_row % 4294967296) * 2654435761 % 4294967296 < {int(2**32 * MOST / rows)}"
    found = table.get_backend().con.execute(query).fetchone()
    return [float(value) for value in found[0]] if found and found[0] is not None else []
