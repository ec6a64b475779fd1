"""What a monitor remembers of one column: counts and sketches, never the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Seen:
    """One column of everything observed, as far as a drift test needs it.

    Example:
        >>> Seen.of_numbers(np.array([1.0, 2.0, 2.0, np.nan])).shares(np.array([2.0]))
        (array([0.33333333]), array([1.]))
    """

    rows: int
    nulls: int
    shares: Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]] | None = None
    """Of a number column: the shares of values below, and at or below, each of some points."""
    rank_error: float = 0.0
    """How far such a share may be off (fraction 0-1), because a sketch forgets."""
    counts: Callable[[Sequence[str]], tuple[NDArray[np.float64], NDArray[np.float64]]] | None = None
    """Of a category column: the least and the most rows that each of some values may have had."""
    quantiles: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None
    """Of a number column: the values at some levels (fractions 0-1)."""
    values: NDArray[np.float64] | None = None
    """Of a number column: its values, sorted, or a sample of them; None where only a sketch was kept."""

    @classmethod
    def of_numbers(cls, values: NDArray[np.float64]) -> Seen:
        """Return what an exact memory of some numbers would hold; NaN is null."""
        known = np.sort(values[~np.isnan(values)])

        def shares(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            rows = max(1, len(known))
            return np.searchsorted(known, points, "left") / rows, np.searchsorted(
                known, points, "right"
            ) / rows

        def quantiles(levels: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray(np.quantile(known, levels, method="inverted_cdf"), np.float64)

        return cls(
            rows=len(values),
            nulls=len(values) - len(known),
            shares=shares,
            quantiles=quantiles if len(known) else None,
            values=known,
        )

    @classmethod
    def of_categories(cls, values: Sequence[str | None]) -> Seen:
        """Return what an exact memory of some categories would hold."""
        tally: dict[str, int] = {}
        for value in values:
            if value is not None:
                tally[value] = tally.get(value, 0) + 1

        def counts(texts: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            found = np.array([tally.get(text, 0) for text in texts], dtype=np.float64)
            return found, found

        return cls(rows=len(values), nulls=len(values) - sum(tally.values()), counts=counts)
