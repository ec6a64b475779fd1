"""A float64 constant in a query, to the last bit."""

from __future__ import annotations

import ibis


def double(value: float) -> ibis.Scalar:
    """Return a number as a float64 constant that DuckDB reads exactly.

    Written as plain digits it would be a DECIMAL first, and the way from there to float64 rounds:
    `x >= -0.09027529589850945` is false where `x` is that very number. Text is read rightly.

    Example:
        >>> ibis.duckdb.connect().execute(double(-0.09027529589850945)) == -0.09027529589850945
        True
    """
    return ibis.literal(repr(float(value))).cast("float64")
