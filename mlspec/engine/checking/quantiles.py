"""Quantiles of a column of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import numpy as np
from numpy.typing import NDArray

from mlspec.engine.ask import ask, here
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
    if not here(table):
        return _there(table, column, shares, rows)
    name = quote(column)
    query = f"SELECT {name} FROM ({ibis.to_sql(table, dialect='duckdb')}) WHERE {name} IS NOT NULL"
    if rows > MOST:
        # Row numbers times an odd number modulo 2^32 are spread evenly: a sample that needs no generator.
        query += f" AND (mlspec_row & 4294967295) * 2654435761 & 4294967295 < {int(2**32 * MOST / rows)}"
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
    below, above, part = _places(len(values), shares)
    return between(values[below], values[above], part)


def _places(
    count: int, shares: Sequence[float]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return between which of sorted numbers quantiles lie, and how far from the lower one (fraction 0-1)."""
    place = np.asarray(shares) * (count - 1)
    below = np.floor(place).astype(np.int64)
    return below, np.minimum(below + 1, count - 1), place - below


def between(low: NDArray[np.float64], high: NDArray[np.float64], part: NDArray[np.float64]) -> list[float]:
    """Return numbers that lie a part (fractions 0-1) of the way from some numbers to others."""
    # A weighted sum of two equal numbers may be off by a bit: rows would seem to lie beside their quantile.
    # Added to 0, -0.0 is 0.0: which of the two comes first is chance.
    found: list[float] = (np.where(low == high, low, low * (1 - part) + high * part) + 0.0).tolist()
    return found


def _there(table: ibis.Table, column: str, shares: Sequence[float], rows: int) -> list[float]:
    """Return quantiles of rows in a database: only those numbers are moved between which they lie."""
    name = quote(column)
    looked = f"{name} IS NOT NULL"
    if rows > MOST:
        spread = "((mlspec_row % 4294967296)::numeric * 2654435761) % 4294967296"
        looked += f" AND {spread} < {int(2**32 * MOST / rows)}"
    ((count,),) = ask(table, lambda source: f"SELECT count(*) FROM {source} WHERE {looked}")
    if not count:
        return []
    below, above, part = _places(count, shares)
    wanted = ", ".join(str(place) for place in sorted({*below.tolist(), *above.tolist()}))
    found = dict(
        ask(
            table,
            lambda source: (
                f"SELECT place, {name} FROM (SELECT {name}, row_number() OVER (ORDER BY {name}) - 1 "
                f"AS place FROM {source} WHERE {looked}) AS mlspec_sorted WHERE place IN ({wanted})"
            ),
        )
    )
    low, high = (np.array([found[place] for place in places.tolist()]) for places in (below, above))
    return between(low, high, part)
