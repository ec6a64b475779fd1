"""Which class was taken for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlspec.telling.figure import figure
from mlspec.telling.html import Html, tag

MOST = 30
"""Classes up to which a table can be read."""


def confusion(cells: Sequence[Mapping[str, Any]]) -> Html:
    """Return the table of actual against predicted classes; the deeper, the larger the share of the row."""
    counts = {(cell["actual"], cell["predicted"]): float(cell["weight"]) for cell in cells}
    classes = list(dict.fromkeys(cell["actual"] for cell in cells))
    if len(classes) > MOST:
        note = tag(
            "p", f"{len(classes)} classes do not fit a table: confusion.json has them.", class_="quiet"
        )
        return tag("figure", tag("figcaption", "Confusion"), note)
    head = tag("tr", tag("td"), *(tag("th", name, scope="col") for name in classes))
    body = [tag("tr", tag("th", actual, scope="row"), *_row(actual, classes, counts)) for actual in classes]
    whole = tag(
        "table",
        tag("caption", "Rows by actual class (down) and predicted class (across)"),
        tag("thead", head),
        tag("tbody", *body),
    )
    note = tag("p", "Down: the actual class. Across: what was predicted.", class_="quiet")
    wide = tag("div", whole, class_="wide", tabindex="0", role="region", aria_label="Confusion")
    return tag("figure", tag("figcaption", "Confusion"), wide, note, class_="confusion")


def _row(actual: str, classes: Sequence[str], counts: Mapping[tuple[str, str], float]) -> list[Html]:
    total = sum(counts.get((actual, name), 0.0) for name in classes)
    found = []
    for name in classes:
        count = counts.get((actual, name), 0.0)
        depth = round(10 * count / total) if total else 0
        style = f"number d{depth}" + ("" if name == actual else " wrong")
        text = figure(int(count)) if count == int(count) else figure(count)
        found.append(tag("td", text, class_=style))
    return found
