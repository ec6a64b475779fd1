"""Raw distances: no error rate, and a threshold that whoever asks for one states."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.watching._drift_tests import MOST_ROWS, counted, effective
from mlspec.engine.watching._finding import Finding
from mlspec.engine.watching.seen import Seen

Floats = NDArray[np.float64]
BINS = 10
"""Bins that numbers are put into: between the reference's deciles."""


def distance(known: Mapping[str, Any], rows: int, here: int, seen: Seen) -> Finding | None:
    """Return the distance that `known["method"]` names; None where what was kept cannot tell it."""
    asked = known["method"]
    if asked["method"] == "wasserstein":
        if seen.quantiles is None:
            return None
        value, noise = _wasserstein(np.asarray(known["quantiles"], np.float64), rows, here, seen)
    else:
        if known["kind"] == "number":
            if seen.shares is None:
                return None
            then, now = _binned(np.asarray(known["quantiles"], np.float64), seen)
        else:
            if seen.counts is None:
                return None
            then, now = (side / side.sum() for side in counted(known, rows, here, seen))
        value, noise = _OF_SHARES[asked["method"]](then, now, rows, here)
    return Finding("values", asked["method"], value, None, noise, threshold=asked["threshold"])


def _wasserstein(grid: Floats, rows: int, here: int, seen: Seen) -> tuple[float, float]:
    """Return how far a value moved on average, in the column's units.

    Unchanged, a share of F at some point is off by about `sqrt(F (1 - F) / rows)`, of which the mean size is
    `sqrt(2 / pi)`; the noise adds that up along the column.
    """
    assert seen.quantiles is not None
    steps = len(grid) - 1
    levels = (np.arange(steps) + 0.5) / steps
    moved = float(np.abs(seen.quantiles(levels) - (grid[1:] + grid[:-1]) / 2).mean())
    off = np.sqrt(levels * (1 - levels) / max(1.0, effective(min(rows, MOST_ROWS), here)))
    return moved, float(math.sqrt(2 / math.pi) * (np.diff(grid) * off).sum())


def _binned(grid: Floats, seen: Seen) -> tuple[Floats, Floats]:
    """Return the shares of reference and observed rows between the reference's deciles."""
    assert seen.shares is not None
    steps = len(grid) - 1
    edges = np.unique(grid[[steps * step // BINS for step in range(1, BINS)]])
    edges = edges[edges < grid[-1]]
    then = np.searchsorted(grid, edges, "right") - 1
    _, upto = seen.shares(edges)
    return np.diff(then / steps, prepend=0.0, append=1.0), np.diff(upto, prepend=0.0, append=1.0)


def _jensen_shannon(then: Floats, now: Floats, rows: int, here: int) -> tuple[float, float]:
    """Return the square root of the divergence in bits (fraction 0-1), and what luck makes of it."""
    middle = (then + now) / 2
    bits = sum(
        float((side[side > 0] * np.log2(side[side > 0] / middle[side > 0])).sum()) for side in (then, now)
    )
    luck = (len(then) - 1) / (8.0 * math.log(2.0) * max(1.0, effective(rows, here)))
    return math.sqrt(max(0.0, bits / 2)), math.sqrt(luck)


def _population_stability_index(then: Floats, now: Floats, rows: int, here: int) -> tuple[float, float]:
    """Return the index; an empty bucket counts as half a row, where it would be endless."""
    old, new = np.maximum(then, 0.5 / rows), np.maximum(now, 0.5 / here)
    luck = (len(then) - 1) / max(1.0, effective(rows, here))
    return float(((new - old) * np.log(new / old)).sum()), luck


_OF_SHARES: Mapping[str, Callable[[Floats, Floats, int, int], tuple[float, float]]] = {
    "jensen_shannon": _jensen_shannon,
    "population_stability_index": _population_stability_index,
}
