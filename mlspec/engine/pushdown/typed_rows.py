"""A server's rows as SQL: placed, typed, and those of them that can be read."""

from __future__ import annotations

from dataclasses import dataclass

from mlspec.engine.pushdown.server_column import ServerColumn, ordered
from mlspec.engine.pushdown.typed import Typed
from mlspec.engine.sql import quote

ROWS = "mlspec_rows"
"""What queries call the rows."""


@dataclass(frozen=True)
class TypedRows:
    """SELECTs over what is asked of a server. It leaves out of each what a query does not look at, the order
    of rows with it.
    """

    query: str
    """What is asked."""
    order: tuple[ServerColumn, ...]
    """What gives rows their place."""
    columns: tuple[Typed, ...]
    chosen: str = "true"
    """Condition on `mlspec_row` of the rows that are looked at."""

    @property
    def typed(self) -> str:
        """Return all rows: `mlspec_row`, values, and which check failed on what."""
        values = ", ".join(f"{item.value} AS {quote(item.role.column)}" for item in self.columns)
        checks = [(condition, item.raw) for item in self.columns for condition, _ in item.checks]
        code = raw = "NULL"
        if checks:
            code = (
                "CASE " + " ".join(f"WHEN {test} THEN {at}" for at, (test, _) in enumerate(checks)) + " END"
            )
            raw = "CASE " + " ".join(f"WHEN {test} THEN left({text}, 200)" for test, text in checks) + " END"
        return (
            f"SELECT mlspec_row, {values}, ({code})::int AS mlspec_reject, ({raw})::text AS mlspec_raw "
            f"FROM ({self._placed()}) AS mlspec_placed"
        )

    @property
    def readable(self) -> str:
        """Return the rows that can be read: `mlspec_row` and values."""
        names = ", ".join(quote(item.role.column) for item in self.columns)
        return (
            f"SELECT mlspec_row, {names} FROM ({self.typed}) AS mlspec_typed "
            f"WHERE mlspec_reject IS NULL AND {self.chosen}"
        )

    @property
    def reasons(self) -> tuple[tuple[str, str], ...]:
        """Return column and reason of each check, by its number."""
        return tuple((item.role.column, why) for item in self.columns for _, why in item.checks)

    @property
    def left_out(self) -> str:
        """Return the first rows of each check that failed, with how many there are."""
        return (
            "SELECT mlspec_reject, n, mlspec_row, mlspec_raw FROM "
            "(SELECT mlspec_reject, mlspec_row, mlspec_raw, "
            "row_number() OVER (PARTITION BY mlspec_reject ORDER BY mlspec_row) AS place, "
            f"count(*) OVER (PARTITION BY mlspec_reject) AS n FROM ({self.typed}) AS mlspec_typed "
            f"WHERE mlspec_reject IS NOT NULL AND {self.chosen}) AS mlspec_first WHERE place <= 3 "
            "ORDER BY mlspec_reject, mlspec_row"
        )

    def _placed(self) -> str:
        place = f"row_number() OVER (ORDER BY {ordered(self.order)}) - 1 AS mlspec_row"
        placed = f"SELECT *, {place} FROM ({self.query}) AS mlspec_asked"
        inner = ", ".join(f"{value} AS {name}" for item in self.columns for name, value in item.inner)
        return f"SELECT *, {inner} FROM ({placed}) AS mlspec_inner" if inner else placed


def within(rows: str, query: str) -> str:
    """Return a query in which `mlspec_rows` is a SELECT, taken into it rather than kept apart."""
    head = f"WITH {ROWS} AS NOT MATERIALIZED ({rows})"
    rest = query.removeprefix("WITH ")
    return f"{head}, {rest}" if rest != query else f"{head} {query}"
