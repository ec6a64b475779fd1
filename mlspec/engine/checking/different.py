"""How many different rows there are."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.datatypes as dt

from mlspec.engine.ask import here
from mlspec.engine.graph.moments import first

BITS = 2**27
"""Whole numbers from the smallest to the largest, up to which each has a bit: 16 MiB a thread."""


@ibis.udf.agg.builtin(name="bitstring_agg")  # type: ignore[untyped-decorator]
def _bits(value: dt.Int64, low: dt.Int64, high: dt.Int64) -> dt.String:
    """Return a bit for each whole number of a range, set where it occurs; null where there is no number."""


@ibis.udf.scalar.builtin(name="bit_count")  # type: ignore[untyped-decorator]
def _set(bits: dt.String) -> dt.Int64:
    """Return how many bits are set."""


def different(table: ibis.Table, columns: Sequence[str]) -> ibis.IntegerScalar:
    """Return how many different rows some columns have; two nulls are equal.

    Whole numbers that lie near each other are counted by a bit each, which takes a fifth of the time; their
    bounds are asked for at once.

    Args:
        table: The rows.
        columns: At least one.
    """
    if len(columns) == 1 and here(table) and table[columns[0]].type().is_signed_integer():
        column = table[columns[0]]
        bounds = first(table, {"low": column.min(), "high": column.max()})
        low, high = bounds["low"], bounds["high"]
        if low is not None and high - low < BITS:
            wide = column.cast("int64")
            ends = (ibis.literal(low, "int64"), ibis.literal(high, "int64"))
            some_null = (table.count() > column.count()).cast("int64")
            return ibis.coalesce(_set(_bits(wide, *ends)), 0) + some_null
    whole = ibis.struct({f"c{place}": table[name] for place, name in enumerate(columns)})
    return whole.nunique()
