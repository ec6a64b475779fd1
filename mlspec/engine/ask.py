"""SQL over a table, wherever its rows lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis


def here(table: ibis.Table) -> bool:
    """Return whether a table's rows lie in a database of this step's own."""
    return bool(table.get_backend().name == "duckdb")


def ask(table: ibis.Table, write: Callable[[str], str]) -> list[tuple[Any, ...]]:
    """Return the rows of a query that gives few.

    Args:
        table: The rows.
        write: Makes the query, in SQL that DuckDB and the server share, of what stands behind its FROM.
    """
    backend: Any = table.get_backend()
    if not here(table):
        found: list[tuple[Any, ...]] = backend.ask(table, write)
        return found
    query = write(f"({ibis.to_sql(table, dialect='duckdb')}) AS mlspec_source")
    return list(backend.con.execute(query).fetchall())
