"""Which texts are not on a list."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.datatypes as dt


@ibis.udf.scalar.builtin(name="list_contains")  # type: ignore[untyped-decorator]
def _list_contains(values: dt.Array[dt.String], text: dt.String) -> dt.Boolean:
    """Return whether a list holds a text; null for null."""


def outside(column: ibis.StringColumn, values: Sequence[str]) -> ibis.BooleanColumn:
    """Return true for texts that a list does not hold; null for null.

    Args:
        column: Of texts, here or in a database.
        values: The list; at least one.
    """
    if column.get_backend().name != "duckdb":
        return column.notin(values)
    # DuckDB asks a function once for each entry of a dictionary, and IN for each row.
    found: ibis.BooleanColumn = _list_contains(ibis.literal(list(values), "array<string>"), column)
    return ~found
