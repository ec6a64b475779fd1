"""Whether the exported file answers as training did."""

from __future__ import annotations

from mlspec.telling.figure import figure
from mlspec.telling.html import Html, Part
from mlspec.telling.left import Left
from mlspec.telling.sections.gates import mark
from mlspec.telling.table import table

HEAD = ("export", "verdict", "rows", "of them hostile", "largest difference", "allowed", "labels compared")


def parity(left: Left) -> Html:
    """Return the parity report of each export."""
    rows: list[tuple[Part, ...]] = []
    for step in left.steps("export"):
        found = left.read(step, "parity.json")
        if found is None:
            continue
        allowed = f"{figure(found.get('atol'))} + {figure(found.get('rtol'))} × answer"
        counts = (figure(found.get(name)) for name in ("rows", "hostile_rows", "largest"))
        name = step.step.partition("-")[2]
        rows.append(
            (name, mark(bool(found["passed"])), *counts, allowed, figure(found.get("labels_compared")))
        )
    if not rows:
        return Html("")
    return table("Parity of each export", HEAD, rows, numbers=HEAD[2:])
