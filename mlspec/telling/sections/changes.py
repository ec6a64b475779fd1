"""What is different from the run before."""

from __future__ import annotations

from mlspec.telling.figure import figure
from mlspec.telling.html import Html, Part, joined, tag
from mlspec.telling.left import Left
from mlspec.telling.table import table

MOST = 100
"""Changes that are listed."""


def changes(left: Left) -> Html:
    """Return measures beside those of an earlier run, and what is said differently."""
    before = left.before
    if before is None:
        return tag("p", "There is no earlier run with measures to compare with.", class_="quiet")
    parts = [tag("p", f"Compared with {before.name}.")]
    for export, values in left.metrics().items():
        rows: list[tuple[Part, ...]] = []
        for name, value in values.items():
            rows.append((name, *_compared((before.metrics.get(export) or {}).get(name), value)))
        head = ("metric", "before", "now", "change")
        parts.append(table(f"Metrics of {export} before and now", head, rows, numbers=head[1:]))
    lines = [tag("li", tag("code", line)) for line in before.changes[:MOST]]
    if len(before.changes) > MOST:
        lines.append(tag("li", f"and {len(before.changes) - MOST:,} more"))
    said = tag("ul", *lines) if lines else tag("p", "No parameter is different.", class_="quiet")
    return joined(*parts, tag("h3", "What is different"), said)


def _compared(old: object, new: object) -> tuple[str, str, str]:
    if not isinstance(old, int | float) or not isinstance(new, int | float):
        return figure(old), figure(new), ""
    step = new - old
    return figure(old), figure(new), "same" if step == 0 else f"{'+' if step > 0 else '−'}{figure(abs(step))}"
