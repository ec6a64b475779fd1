"""A column's distribution, small enough for a line of a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mlspec.telling.html import Html, tag

WIDTH, HEIGHT, BARS = 120.0, 24.0, 24


def histogram(profile: Mapping[str, Any], told: str) -> Html:
    """Return bars for a column of `reference.json`: equal stretches of a number, the most frequent texts.

    Args:
        profile: `quantiles` of a number, or `counts` of a text.
        told: What it is, for those who cannot see it.
    """
    if "quantiles" in profile:
        heights = _of_quantiles([float(value) for value in profile["quantiles"] if value is not None])
    else:
        counts = sorted((int(count) for count in profile.get("counts", {}).values()), reverse=True)
        heights = [*counts[: BARS - 1], *([sum(counts[BARS - 1 :])] if counts[BARS - 1 :] else [])]
    most = max(heights, default=0)
    if not most:
        return Html("")
    width = WIDTH / max(len(heights), 6)
    bars = [
        f"M{place * width:.4g} {HEIGHT:g}v{-max(1.0, HEIGHT * height / most):.3g}"
        f"h{width * 0.85:.3g}V{HEIGHT:g}z"
        for place, height in enumerate(heights)
        if height
    ]
    return tag(
        "svg",
        tag("path", d="".join(bars)),
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
        class_="spark",
        role="img",
        aria_label=told,
    )


def _of_quantiles(values: Sequence[float]) -> list[int]:
    """Return how many of evenly spaced quantiles fall into each stretch: their share of the rows."""
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return []
    low, high = min(known), max(known)
    if high <= low:
        return [len(known)]
    heights = [0] * BARS
    for value in known:
        heights[min(BARS - 1, int((value - low) / (high - low) * BARS))] += 1
    return heights
