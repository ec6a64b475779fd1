"""A value with its interval, on a stretch."""

from __future__ import annotations

from mlspec.telling.charts.axis import Axis
from mlspec.telling.html import Html, tag

WIDTH, HEIGHT = 160.0, 14.0


def interval_bar(value: float, low: float, high: float) -> Html:
    """Return a bar from `low` to `high` with a mark at the value; shares stand between 0 and 1."""
    if low >= 0 and high <= 1:
        ends = (0.0, 1.0)
    else:
        room = (high - low) / 2 or 1.0
        ends = (min(low, value) - room, max(high, value) + room)
    axis = Axis(*ends, 4, WIDTH - 4)
    middle = HEIGHT / 2
    return tag(
        "svg",
        tag("line", x1=4, y1=middle, x2=WIDTH - 4, y2=middle, class_="grid"),
        tag("line", x1=axis.place(low), y1=middle, x2=axis.place(high), y2=middle, class_="between"),
        tag("circle", cx=axis.place(value), cy=middle, r=4, class_="value"),
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
        class_="range",
        aria_hidden="true",
    )
