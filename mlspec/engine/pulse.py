"""How far a database is with its query, told while it works."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from mlspec.engine.beat import beat
from mlspec.sdk.context import Context


@contextmanager
def pulse(
    connection: Any,
    context: Context,
    total: float | None,
    unit: str,
    before: float = 0,
    whole: float | None = None,
) -> Iterator[None]:
    """Tell how much of `total` the query has gone through that runs inside; several are told one by one.

    Args:
        connection: A DuckDB connection; of any other nothing is told.
        context: Told of progress.
        total: What one query goes through; where nobody knows, percent are told.
        unit: What is counted.
        before: What other queries went through already.
        whole: What all of them go through; `total` where it is this one alone.
    """
    if not isinstance(connection, duckdb.DuckDBPyConnection):
        yield  # a server tells nothing of the kind
        return
    for option in ("enable_progress_bar = true", "enable_progress_bar_print = false"):
        connection.execute(f"SET {option}")
    mine, told = (total, unit) if total else (100.0, "percent")
    all_of_it = (whole or mine) if total else mine

    def look() -> bool:
        try:
            share = connection.query_progress() / 100
        except duckdb.Error:
            return False  # it was closed
        # Negative where there is no query, or one that cannot tell.
        if 0 < share <= 1:
            context.progress(before + share * mine, all_of_it, told)
        return True

    with beat(look):
        yield
