"""One order of rows, whatever the order in which they came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlspec.engine.sql import quote


def in_order(table: str, connection: Any, columns: Sequence[str], order_by: Sequence[str]) -> str:
    """Return a query of a DuckDB table's rows, ordered by some columns and then by all of them: rows that are
    still equal are one and the same.
    """
    types = connection.execute(f"DESCRIBE {table}").fetchall()
    floats = [row[0] for row in types if row[1] in ("FLOAT", "DOUBLE")]
    # -0.0 and 0.0 are equal, and not the same.
    order = [*map(quote, dict.fromkeys((*order_by, *columns)))]
    order += [f"CAST({quote(name)} AS VARCHAR)" for name in floats]
    return f"SELECT * FROM {table} ORDER BY {', '.join(order)}"
