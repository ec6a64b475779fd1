"""Every column as a number or a text, so that it can be summed up."""

from __future__ import annotations

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
    forms: dict[str, Form] = {}
    values = ["mlspec_row"]
    for name, dtype in table.schema().items():
        if name.startswith("mlspec_"):
            continue
        forms[name], value = _value(quote(name), dtype)
        values.append(f"{value} AS {quote(name)}")
    query = f"SELECT {', '.join(values)} FROM ({ibis.to_sql(table, dialect='duckdb')})"
    return table.get_backend().sql(query, dialect="duckdb"), forms


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
