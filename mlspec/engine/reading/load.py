"""The statement that reads a source once."""

from __future__ import annotations

from collections.abc import Sequence

from mlspec.engine.reading.cast import Cast, cast_source
from mlspec.engine.sql import quote


def load(source: str, casts: Sequence[Cast], besides: str = "") -> str:
    """Return the statement that makes `mlspec_typed`: values, and which check failed on what.

    Args:
        source: SQL of the raw rows.
        casts: How each column is read.
        besides: SQL of one more column.
    """
    values = ", ".join(f"{item.value} AS {quote(item.role.column)}" for item in casts)
    checks = [(condition, item.raw) for item in casts for condition, _ in item.checks]
    code = raw = "NULL"
    if checks:
        code = (
            "CASE "
            + " ".join(f"WHEN {test} THEN {number}" for number, (test, _) in enumerate(checks))
            + " END"
        )
        raw = "CASE " + " ".join(f"WHEN {test} THEN left({text}, 200)" for test, text in checks) + " END"
    more = f", {besides}" if besides else ""
    return (
        f"CREATE TABLE mlspec_typed AS SELECT {values}, CAST({code} AS INTEGER) AS mlspec_reject, "
        f"CAST({raw} AS VARCHAR) AS mlspec_raw{more} FROM ({cast_source(source, casts)}) AS mlspec_source"
    )
