"""The queries that read a source: its typed rows, or where it lies."""

from __future__ import annotations

from collections.abc import Sequence

from mlspec.engine.reading.cast import Cast, cast_source
from mlspec.engine.sql import quote


def typed(source: str, casts: Sequence[Cast], besides: str = "") -> str:
    """Return a query of the typed rows of a source: values, and which check failed on what.

    Args:
        source: SQL of the raw rows.
        casts: How each column is read.
        besides: SQL of one more column.
    """
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
        f"SELECT {_values(casts)}, CAST({code} AS INTEGER) AS mlspec_reject, "
        f"CAST({raw} AS VARCHAR) AS mlspec_raw{more} FROM ({cast_source(source, casts)}) AS mlspec_source"
    )


def rejected_of(source: str, casts: Sequence[Cast]) -> str:
    """Return a query of how many rows there are, and whether one of them is unreadable.

    Args:
        source: SQL of the raw rows.
        casts: How each column is read.
    """
    tests = [f"coalesce(bool_or({test}), false)" for item in casts for test, _ in item.checks]
    some = " OR ".join(tests) or "false"
    return f"SELECT count(*), {some} FROM ({cast_source(source, casts)}) AS mlspec_source"


def in_place(source: str, casts: Sequence[Cast]) -> str:
    """Return a query of the typed rows of a source all of whose rows are readable.

    Args:
        source: SQL of the raw rows, with `mlspec_row`.
        casts: How each column is read.
    """
    return f"SELECT mlspec_row, {_values(casts)} FROM ({cast_source(source, casts)}) AS mlspec_source"


def _values(casts: Sequence[Cast]) -> str:
    return ", ".join(f"{item.value} AS {quote(item.role.column)}" for item in casts)
