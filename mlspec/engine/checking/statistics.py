"""What a table holds, column by column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ibis

from mlspec.engine.ask import ask
from mlspec.engine.checking.quantiles import quantiles
from mlspec.engine.checking.top import top
from mlspec.engine.database import all_threads
from mlspec.engine.graph.moments import Moments, bound_aggregates, exact_moments, first
from mlspec.engine.reading.flat import flat
from mlspec.engine.sql import quote

SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
TOP, LISTED = 20, 50
"""Values of a text column that are told with their rows; distinct values up to which all are listed."""


def statistics(
    table: ibis.Table, tell: Callable[[float, float], None] = lambda done, total: None
) -> dict[str, Any]:
    """Return counts, moments, quantiles and frequent values of every column, the same bytes each time.

    Times are told in milliseconds since 1970 UTC.

    Args:
        table: Typed rows with `mlspec_row`.
        tell: Told how many columns are done, and of how many.
    """
    plain, forms = flat(table)
    # Nothing here depends on the order of rows.
    with all_threads(plain):
        rows, counts, known = _counted(plain, forms)
        columns: dict[str, Any] = {}
        for name, form in forms.items():
            tell(len(columns), len(forms))
            entry: dict[str, Any] = {"nulls": rows - counts[name], "distinct": _distinct(plain, name)}
            columns[name] = entry
            if form == "number":
                values = quantiles(plain, name, SHARES, rows)
                entry["quantiles"] = {
                    f"{share:g}": value for share, value in zip(SHARES, values, strict=False)
                }
                moments = known[name]
                entry |= {"min": moments.low, "max": moments.high, "mean": moments.mean, "std": moments.std}
            else:
                frequent = top(plain, name, LISTED)
                entry["top"] = frequent[:TOP]
                if entry["distinct"] <= LISTED:
                    entry["values"] = sorted(value for value, _ in frequent)
    return {"rows": rows, "columns": columns}


def _counted(table: ibis.Table, forms: Mapping[str, str]) -> tuple[int, dict[str, int], dict[str, Moments]]:
    """Return the rows, those with a value in each column, and the moments of numbers."""
    numbers = {name: table[name] for name, form in forms.items() if form == "number"}
    asked = {"rows": table.count()} | bound_aggregates(numbers)
    found = first(table, asked | {f"{name}.rows": table[name].count() for name in forms})
    return (
        found["rows"],
        {name: found[f"{name}.rows"] for name in forms},
        exact_moments(table, numbers, found),
    )


def _distinct(table: ibis.Table, column: str) -> int:
    """Count a column's values: by groups, which spill to disk, and a column at a time."""
    name = quote(column)
    ((found,),) = ask(
        table,
        lambda source: (
            "SELECT count(*) FROM "
            f"(SELECT {name} FROM {source} WHERE {name} IS NOT NULL GROUP BY {name}) AS mlspec_groups"
        ),
    )
    return int(found)
