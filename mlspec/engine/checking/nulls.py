"""How many rows hold no value."""

from __future__ import annotations

import ibis


def nulls(table: ibis.Table, column: str) -> ibis.IntegerScalar:
    """Return how many rows hold a null in a column.

    It is told by two counts that other checks ask for, too: DuckDB makes them once, or takes them from the
    footer of a Parquet file.

    Args:
        table: The rows.
        column: Its name.
    """
    return table.count() - table[column].count()
