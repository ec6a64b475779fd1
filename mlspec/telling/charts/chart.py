"""Lines and points over two axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mlspec.telling.charts.axis import Axis, axis
from mlspec.telling.figure import figure
from mlspec.telling.html import Html, joined, tag

WIDTH, HEIGHT = 420.0, 280.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 12.0, 12.0, 40.0
MOST = 400
"""Points of a series that are drawn: more cannot be told apart."""
LABEL = 44
"""Characters of an axis' words that fit beside it."""
LARGEST = 1e100
"""Numbers from here on, as not a number, have no place in a picture."""
COLOURS = 6
"""Series that have a colour of their own; those behind begin again, with dashes."""


@dataclass(frozen=True)
class Series:
    """Points that belong together."""

    name: str
    points: Sequence[tuple[float, float]]
    marks: bool = False
    """Points on their own instead of a line."""
    bounds: Sequence[tuple[float, float, float]] = ()
    """Upright bars: where, from, to."""


def chart(
    title: str,
    series: Sequence[Series],
    across: str,
    up: str,
    *,
    ends: tuple[float, float] | None = None,
    diagonal: bool = False,
    level: float | None = None,
    at: tuple[float, str] | None = None,
) -> Html:
    """Return a picture with its legend.

    Args:
        title: What it shows; told to those who cannot see it, too.
        series: Lines and points; numbers that no picture can hold are left out.
        across: The horizontal axis in words.
        up: The vertical one.
        ends: Both axes' ends, for shares; None takes them from the points.
        diagonal: Draw where both axes say the same.
        level: Draw a horizontal line at this height.
        at: A vertical line at this place, and what it is.
    """
    drawn = [replace(one, points=_some(_finite(one.points))) for one in series]
    points = [point for one in drawn for point in one.points]
    if not points:
        return tag("figure", tag("figcaption", title), tag("p", "no points", class_="quiet"))
    x, y = _axes(points, ends, level)
    parts = [_grid(x, y, _fitting(across), _fitting(up))]
    if diagonal:
        low, high = max(x.low, y.low), min(x.high, y.high)
        parts.append(_line(x.place(low), y.place(low), x.place(high), y.place(high), "guide"))
    if level is not None:
        parts.append(_line(LEFT, y.place(level), WIDTH - RIGHT, y.place(level), "guide"))
    if at is not None:
        parts.append(_line(x.place(at[0]), TOP, x.place(at[0]), HEIGHT - BOTTOM, "guide"))
        parts.append(_label(x.place(at[0]) + 4, TOP + 10, at[1], "start"))
    parts += [_series(one, x, y, number) for number, one in enumerate(drawn)]
    told = f"{title}: {up} over {across}"
    picture = tag(
        "svg", tag("title", told), *parts, viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}", role="img", aria_label=told
    )
    return tag("figure", tag("figcaption", title), picture, _legend(drawn) if len(drawn) > 1 else "")


def _axes(
    points: Sequence[tuple[float, float]], ends: tuple[float, float] | None, level: float | None
) -> tuple[Axis, Axis]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    if ends is not None:
        return Axis(*ends, LEFT, right), Axis(*ends, bottom, TOP)
    heights = [point[1] for point in points] + ([] if level is None else [level])
    return axis([point[0] for point in points], LEFT, right), axis(heights, bottom, TOP)


def _grid(x: Axis, y: Axis, across: str, up: str) -> Html:
    parts = []
    for value in y.ticks():
        parts += [
            _line(LEFT, y.place(value), WIDTH - RIGHT, y.place(value), "grid"),
            _label(LEFT - 6, y.place(value) + 4, figure(value), "end"),
        ]
    for value in x.ticks():
        parts.append(_label(x.place(value), HEIGHT - BOTTOM + 16, figure(value), "middle"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(_label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, across, "middle"))
    parts.append(
        tag("text", up, x=12, y=middle, text_anchor="middle", transform=f"rotate(-90 12 {middle:g})")
    )
    return joined(*parts)


def _series(series: Series, x: Axis, y: Axis, number: int) -> Html:
    style = f"s{number % COLOURS}{' again' if number >= COLOURS else ''}"
    places = [(x.place(across), y.place(up)) for across, up in series.points]
    bars = [
        _line(x.place(at), y.place(low), x.place(at), y.place(high), "") for at, low, high in series.bounds
    ]
    if bars:
        line = "M" + "L".join(f"{across:g} {up:g}" for across, up in places)
        dots = [tag("circle", cx=cx, cy=cy, r=3) for cx, cy in places]
        return joined(tag("path", d=line, class_=style), tag("g", *bars, *dots, class_=f"{style} marks"))
    if series.marks or len(places) == 1:
        return tag("g", *(tag("circle", cx=cx, cy=cy, r=2.5) for cx, cy in places), class_=f"{style} marks")
    line = "M" + "L".join(f"{across:g} {up:g}" for across, up in places)
    return tag("path", d=line, class_=style)


def _legend(series: Sequence[Series]) -> Html:
    entries = [
        tag("li", tag("span", class_=f"swatch s{number % COLOURS}", aria_hidden="true"), one.name)
        for number, one in enumerate(series)
    ]
    return tag("ul", *entries, class_="legend")


def _finite(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [point for point in points if all(abs(number) < LARGEST for number in point)]


def _some(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    if len(points) <= MOST:
        return list(points)
    return [points[round(place * (len(points) - 1) / (MOST - 1))] for place in range(MOST)]


def _fitting(words: str) -> str:
    return words if len(words) <= LABEL else f"{words[: LABEL - 1]}…"


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> Html:
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=style)


def _label(x: float, y: float, text: str, anchor: str) -> Html:
    return tag("text", text, x=x, y=y, text_anchor=anchor)
