"""The frequent values of a column."""

from __future__ import annotations

from typing import Any

import ibis

from mlspec.engine.ask import ask
from mlspec.engine.sql import quote


def top(table: ibis.Table, column: str, most: int) -> list[list[Any]]:
    """Return the most frequent texts of a column with their rows, by falling rows, then by text."""
    name = quote(column)
    found = ask(
        table,
        lambda source: (
            f"SELECT {name}, count(*) AS n FROM {source} WHERE {name} IS NOT NULL "
            f"GROUP BY {name} ORDER BY n DESC, {name} LIMIT {most}"
        ),
    )
    return [[value, rows] for value, rows in found]
