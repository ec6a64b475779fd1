"""The same measures for some of the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlspec.telling.figure import figure
from mlspec.telling.html import Html, Part, joined, tag
from mlspec.telling.left import Left
from mlspec.telling.table import table


def slices(left: Left) -> Html:
    """Return a table for each column that was sliced by, with row counts."""
    parts = []
    for step in left.steps("evaluate"):
        for column, entries in ((left.read(step, "slices.json") or {}).get("slices") or {}).items():
            title = f"By {column}, export {step.step.partition('-')[2]}"
            parts += [tag("h3", title), _table(title, entries)]
    return joined(*parts)


def _table(title: str, entries: Sequence[Mapping[str, Any]]) -> Html:
    names = list(
        dict.fromkeys(name for entry in entries for name in entry.get("metrics") or {} if name != "rows")
    )
    rows: list[tuple[Part, ...]] = []
    for entry in entries:
        value = "(null)" if entry["value"] is None else entry["value"]
        if "metrics" not in entry:
            note = tag("span", entry.get("verdict"), class_="quiet")
            rows.append((value, figure(entry["rows"]), *[note, *[""] * len(names)][: max(1, len(names))]))
            continue
        known = entry.get("intervals") or {}
        rows.append(
            (
                value,
                figure(entry["rows"]),
                *(_cell(entry["metrics"].get(name), known.get(name)) for name in names),
            )
        )
    head = ("value", "rows", *(names or ["verdict"]))
    return table(title, head, rows, numbers=("rows", *names))


def _cell(value: Any, between: Sequence[float] | None) -> Html:
    told = tag("div", f"{figure(between[0])} to {figure(between[1])}", class_="quiet") if between else ""
    return joined(figure(value), told)
