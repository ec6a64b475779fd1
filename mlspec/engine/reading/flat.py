"""Every column as a number or a text, so that it can be summed up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import ibis

from mlspec.engine.ask import here
from mlspec.engine.sql import quote

Form = Literal["number", "category"]


def flat(table: ibis.Table) -> tuple[ibis.Table, dict[str, Form]]:
    """Return a table whose columns are float64 or text, and which is which; `mlspec_row` stays as it is.

    Times become milliseconds since 1970 UTC, booleans `true` and `false`; NaN and infinity become null.
    """
    if not here(table):
        backend: Any = table.get_backend()
        found: tuple[ibis.Table, dict[str, Form]] = backend.flat(table)
        return found
    held = {name: kind for name, kind in table.schema().items() if not name.startswith("mlspec_")}
    values, forms = flat_columns(held)
    query = f"SELECT {', '.join(['mlspec_row', *values])} FROM ({ibis.to_sql(table, dialect='duckdb')})"
    return table.get_backend().sql(query, dialect="duckdb"), forms


def flat_columns(columns: Mapping[str, Any]) -> tuple[list[str], dict[str, Form]]:
    """Return SQL of each column as float64 or text under its own name, and which is which.

    Args:
        columns: Their Ibis types by name.
    """
    found = {name: _value(quote(name), dtype) for name, dtype in columns.items()}
    values = [f"{value} AS {quote(name)}" for name, (_, value) in found.items()]
    return values, {name: form for name, (form, _) in found.items()}


def _value(column: str, dtype: Any) -> tuple[Form, str]:
    if dtype.is_timestamp() and dtype.timezone:
        # A cast to a time without a zone would give that of the clock on this machine's wall.
        return "number", f"CAST(epoch_us({column}) AS DOUBLE) / 1000"
    if dtype.is_timestamp() or dtype.is_date():
        return "number", f"CAST(epoch_us(CAST({column} AS TIMESTAMP)) AS DOUBLE) / 1000"
    if dtype.is_floating():
        return "number", f"CASE WHEN isfinite({column}) THEN CAST({column} AS DOUBLE) END"
    if dtype.is_numeric() and not dtype.is_boolean():
        return "number", f"CAST({column} AS DOUBLE)"
    return "category", f"CAST({column} AS VARCHAR)"
