"""One order of rows, whatever the order in which they came."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from mlspec.engine.sql import quote

FLOATS = ("FLOAT", "DOUBLE")


def in_order(
    table: str,
    connection: Any,
    columns: Sequence[str],
    order_by: Sequence[str],
    numbers: Collection[str] = (),
) -> str:
    """Return a query of a DuckDB table's rows, ordered by some columns and then by all of them: rows that are
    still equal are one and the same.

    Args:
        table: Its name.
        connection: To the database that holds it.
        columns: All that it has.
        order_by: Those that come first.
        numbers: Columns of text whose values are decimal numbers of any length, and sort as such.
    """
    floats = {row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall() if row[1] in FLOATS}
    all_of_them = [*dict.fromkeys((*order_by, *columns))]
    order = [_number(quote(name)) if name in numbers else quote(name) for name in all_of_them]
    # -0.0 and 0.0, 1.0 and 1.00 are equal, and not the same.
    order += [f"CAST({quote(name)} AS VARCHAR)" for name in all_of_them if name in floats or name in numbers]
    return f"SELECT * FROM {table} ORDER BY {', '.join(order)}"


def _number(text: str) -> str:
    """Return a text that sorts as the number that a text is: its class, the length of its whole part, its
    digits. Those of a negative number are turned round, with a sign behind them that is above all digits.
    """
    whole = f"split_part(ltrim({text}, '-'), '.', 1)"
    digits = f"{whole} || rtrim(split_part({text}, '.', 2), '0')"
    negative = f"'1' || lpad(CAST(999999 - length({whole}) AS VARCHAR), 6, '0')"
    return (
        f"CASE {text} WHEN '-inf' THEN '0' WHEN 'inf' THEN '3' WHEN 'nan' THEN '4' ELSE "
        f"CASE WHEN starts_with({text}, '-') "
        f"THEN {negative} || translate({digits}, '0123456789', '9876543210') || '~' "
        f"ELSE '2' || lpad(CAST(length({whole}) AS VARCHAR), 6, '0') || {digits} END END"
    )
