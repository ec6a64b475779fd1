"""What a table holds, column by column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis

from mlspec.engine.ask import ask
from mlspec.engine.checking.quantiles import quantiles
from mlspec.engine.checking.top import top
from mlspec.engine.graph.moments import moments
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
    asked = ", ".join(f"count({quote(name)})" for name in forms)
    ((rows, *counts),) = ask(plain, lambda source: f"SELECT count(*), {asked} FROM {source}")
    known = moments(plain, {name: plain[name] for name, form in forms.items() if form == "number"})
    columns: dict[str, Any] = {}
    for name, valid in zip(forms, counts, strict=True):
        tell(len(columns), len(forms))
        distinct = _distinct(plain, name)
        columns[name] = entry = {"nulls": rows - valid, "distinct": distinct}
        if forms[name] == "number":
            values = quantiles(plain, name, SHARES, rows)
            entry["quantiles"] = {f"{share:g}": value for share, value in zip(SHARES, values, strict=False)}
            entry |= {
                "min": known[name].low,
                "max": known[name].high,
                "mean": known[name].mean,
                "std": known[name].std,
            }
        else:
            frequent = top(plain, name, LISTED)
            entry["top"] = frequent[:TOP]
            if distinct <= LISTED:
                entry["values"] = sorted(value for value, _ in frequent)
    return {"rows": rows, "columns": columns}


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
