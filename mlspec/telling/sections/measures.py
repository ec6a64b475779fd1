"""What was measured, with how far it is known."""

from __future__ import annotations

from mlspec.telling.figure import figure
from mlspec.telling.html import Html, Part, joined, tag
from mlspec.telling.left import Left
from mlspec.telling.table import table


def measures(left: Left) -> Html:
    """Return a table for each export."""
    parts = []
    for export, values in left.metrics().items():
        intervals, confidence = left.intervals(export), left.confidence(export)
        between = f"{confidence:.0%} between" if confidence is not None else "between"
        rows: list[tuple[Part, ...]] = []
        for name, value in values.items():
            if name == "rows":
                continue
            known = intervals.get(name)
            rows.append((name, figure(value), f"{figure(known[0])} and {figure(known[1])}" if known else "–"))
        count = f" of {figure(values['rows'])} rows" if "rows" in values else ""
        title = f"Export {export}, on the test split{count}"
        parts += [
            tag("h3", title),
            table(title, ("metric", "value", between), rows, numbers=("value", between)),
        ]
    return joined(*parts)
