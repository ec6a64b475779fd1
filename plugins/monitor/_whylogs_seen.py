"""What a profile of whylogs knows of one column, as the drift tests ask for it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

os.environ.setdefault("WHYLOGS_NO_ANALYTICS", "True")

import numpy as np
from numpy.typing import NDArray
from whylogs.core.view import ColumnProfileView

from mlspec.engine.watching.seen import Seen

from ._whylogs_observer import short

Floats = NDArray[np.float64]


def seen(view: ColumnProfileView, values: Floats | None = None) -> Seen:
    """Return what was seen of a column.

    Args:
        view: The column's profile.
        values: A sample of its values, sorted, where one was kept.
    """
    counts = view.get_metric("counts")
    rows, nulls = counts.n.value, counts.null.value
    distribution, frequent = view.get_metric("distribution"), view.get_metric("frequent_items")
    if distribution is not None:
        sketch = distribution.kll.value

        def shares(points: Floats) -> tuple[Floats, Floats]:
            # The sketch's rank is the share strictly below: the next float's rank is that of "at or below".
            below = [sketch.get_rank(point) for point in points]
            upto = [sketch.get_rank(point) for point in np.nextafter(points, np.inf)]
            return np.array(below, np.float64), np.array(upto, np.float64)

        def quantiles(levels: Floats) -> Floats:
            return np.array(sketch.get_quantiles(levels.tolist()), np.float64)

        if sketch.is_empty():
            return Seen(rows, nulls)
        if values is not None and len(values) == rows - nulls:
            return replace(Seen.of_numbers(values), rows=rows, nulls=nulls)
        error = sketch.normalized_rank_error(True) if sketch.is_estimation_mode() else 0.0
        return Seen(rows, nulls, shares=shares, rank_error=error, quantiles=quantiles, values=values)
    if frequent is None:
        return Seen(rows, nulls)
    items = frequent.frequent_strings.value

    def counted(texts: Sequence[str]) -> tuple[Floats, Floats]:
        keys = [short(text) for text in texts]
        least = [items.get_lower_bound(key) for key in keys]
        return np.array(least, np.float64), np.array([items.get_upper_bound(key) for key in keys], np.float64)

    return Seen(rows, nulls, counts=counted)
