"""Tables."""

from __future__ import annotations

from collections.abc import Sequence

from mlspec.telling.html import Html, Part, joined, tag


def table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[Part]], *, numbers: Sequence[str] = ()
) -> Html:
    """Return a table that scrolls sideways where the window is narrow; its first column names the rows.

    Args:
        caption: What it shows: read out, and not drawn.
        head: The columns' names.
        rows: As many parts each.
        numbers: The columns that are set to the right.
    """

    def cell(place: int, part: Part) -> Html:
        style = "number" if head[place] in numbers else None
        return tag("td", part, class_=style) if place else tag("th", part, scope="row", class_=style)

    titles = [tag("th", name, scope="col", class_="number" if name in numbers else None) for name in head]
    body = [tag("tr", *(cell(place, part) for place, part in enumerate(row))) for row in rows]
    whole = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *titles)),
        tag("tbody", joined(*body)),
    )
    # Focusable, so that a keyboard can scroll it.
    return tag("div", whole, class_="wide", tabindex="0", role="region", aria_label=caption)
