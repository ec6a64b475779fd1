"""Tests of what was seen against a reference: numbers, categories and nulls."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.watching._finding import Finding
from mlspec.engine.watching._p_values import chi_square, exact_share, kolmogorov
from mlspec.engine.watching.seen import Seen

Floats = NDArray[np.float64]
LEAST_EXPECTED = 5.0
"""Rows that each sample must be expected to have in a bucket before chi-square is trusted (Cochran)."""
MOST_ROWS = 2_000_000
"""Rows that a reference's quantiles stand for at most: of larger tables they are taken from a sample."""


def effective(first: float, second: float) -> float:
    """Return the rows that a comparison of two samples is worth."""
    return first * second / (first + second) if first and second else 0.0


def telling(smallest: float) -> float:
    """Return the change that enough rows must be able to show; a tenth where any is worth telling."""
    return smallest or 0.1


def nulls(known: int, rows: int, seen: Seen, smallest: float) -> Finding:
    """Compare the shares of nulls."""
    if rows == 0:
        return Finding("nulls", "null_share", 0.0, 1.0, 1.0)
    effect = abs(seen.nulls / seen.rows - known / rows)
    resolution = chi_square(4.0 * effective(rows, seen.rows) * telling(smallest) ** 2, 1)
    return Finding("nulls", "null_share", effect, exact_share(known, rows, seen.nulls, seen.rows), resolution)


def kolmogorov_smirnov(grid: Floats, rows: int, here: int, seen: Seen, smallest: float) -> Finding:
    """Compare numbers by the largest gap of the two distribution functions."""
    assert seen.shares is not None
    rows = min(rows, MOST_ROWS)
    points, first = np.unique(grid, return_index=True)
    last = np.append(first[1:], len(grid)) - 1
    steps = max(1, len(grid) - 1)
    below, upto = seen.shares(points)
    # The grid fixes the reference's shares to within a step and a row: only what lies outside counts.
    slack = 1.0 / rows
    gaps = np.concatenate(
        [
            upto - ((last + 1) / steps + slack),
            (last / steps - slack) - upto,
            below - (first / steps + slack),
            ((first - 1) / steps - slack) - below,
        ]
    )
    distance = float(np.clip(gaps.max(), 0.0, 1.0))
    worth = effective(rows, here)
    p = kolmogorov(max(0.0, distance - seen.rank_error), worth)
    resolution = kolmogorov(max(0.0, telling(smallest) - seen.rank_error), worth)
    return Finding("values", "kolmogorov_smirnov", distance, p, resolution)


def mann_whitney(grid: Floats, rows: int, here: int, seen: Seen, smallest: float) -> Finding:
    """Compare numbers by their ranks, from values; the effect is Cliff's delta (fraction 0-1).

    Source: Mann and Whitney (1947), the normal form with the correction for ties.
    """
    assert seen.values is not None
    values = seen.values
    rows, count = min(rows, MOST_ROWS), len(values)
    points, first, repeats = np.unique(grid, return_index=True, return_counts=True)
    steps = max(1, len(grid) - 1)
    upto = (first + repeats - 1) / steps
    below = np.where(repeats > 1, first / steps, upto)
    places = np.clip(np.searchsorted(points, values), 0, len(points) - 1)
    known = points[places] == values
    middle = np.where(
        known, (below[places] + upto[places]) / 2, _between(points, below, upto, values, places)
    )
    delta = 2.0 * float(middle.mean()) - 1.0
    together = rows + count
    # Ties of the reference show as repeated quantiles, those of the sample as repeated values.
    own, times = np.unique(values, return_counts=True)
    tied = dict(zip(own.tolist(), times.tolist(), strict=True))
    tied |= {
        point: tied.get(point, 0) + rows * (many - 1) / steps
        for point, many in zip(points.tolist(), repeats.tolist(), strict=True)
        if many > 1
    }
    ties = sum((many / together) ** 3 for many in tied.values() if many > 1)
    spread = math.sqrt(max(0.0, 1.0 - ties) * (together + 1) / (3.0 * rows * count))
    p = 1.0 if spread == 0.0 else math.erfc(abs(delta) / spread / math.sqrt(2.0))
    resolution = 1.0 if spread == 0.0 else math.erfc(telling(smallest) / spread / math.sqrt(2.0))
    return Finding(
        "values", "mann_whitney", abs(delta), p, resolution, sampled=count if count < here else None
    )


def _between(points: Floats, below: Floats, upto: Floats, values: Floats, places: Any) -> Floats:
    """Return the reference's share below values that lie between its quantiles, or beyond them."""
    before = np.maximum(places - 1, 0)
    room = points[places] - points[before]
    along = np.clip(np.where(room > 0, (values - points[before]) / np.where(room > 0, room, 1.0), 0.0), 0, 1)
    inside = upto[before] + along * (below[places] - upto[before])
    return np.asarray(np.where(values < points[0], 0.0, np.where(values > points[-1], 1.0, inside)))


def categories(known: Mapping[str, Any], rows: int, here: int, seen: Seen, smallest: float) -> Finding:
    """Compare categories: exactly where two are left to compare, else by chi-square.

    The test that `known["method"]` names is taken where one is named.
    """
    then, now = counted(known, rows, here, seen)
    asked = (known.get("method") or {}).get("method")
    if asked == "fisher_exact" and len(then) > 2:
        most = int(np.argmax(then))
        then, now = (np.array([side[most], side.sum() - side[most]]) for side in (then, now))
    if len(then) < 2:
        return Finding("values", asked or "chi_square", 0.0, 1.0, _resolution(rows, here, smallest, 1))
    effect = float(np.abs(now / now.sum() - then / then.sum()).sum() / 2)
    degrees = len(then) - 1
    test = asked or ("chi_square" if degrees > 1 else "fisher_exact")
    if test == "fisher_exact":
        p = exact_share(round(then[0]), rows, round(now[0]), here)
    else:
        pooled = (then + now) / (rows + here)
        p = chi_square(
            float(
                ((then - rows * pooled) ** 2 / (rows * pooled)).sum()
                + ((now - here * pooled) ** 2 / (here * pooled)).sum()
            ),
            degrees,
        )
    return Finding("values", test, effect, p, _resolution(rows, here, smallest, degrees))


def _resolution(rows: int, here: int, smallest: float, degrees: int) -> float:
    # By Cauchy and Schwarz a total variation of e gives a statistic of at least 4 e^2 (effective rows).
    return chi_square(4.0 * effective(rows, here) * telling(smallest) ** 2, degrees)


def counted(known: Mapping[str, Any], rows: int, here: int, seen: Seen) -> tuple[Floats, Floats]:
    """Return the rows in each bucket, of the reference and of what was seen."""
    assert seen.counts is not None
    texts = sorted(known["counts"])
    then = np.array([known["counts"][text] for text in texts] + [known["other"]], dtype=np.float64)
    least, most = seen.counts(texts)
    # A sketch that dropped values gives a range: the point of it that speaks least for a change is taken.
    now = np.clip(then[:-1] * (here / rows), least, most)
    return _gathered(then, np.append(now, max(0.0, here - float(now.sum()))))


def _gathered(then: Floats, now: Floats) -> tuple[Floats, Floats]:
    """Put what is rare in both samples into one bucket with all that the reference does not know (the last).

    Which values the reference knows depends on its own luck where values are many, so the unknown ones are no
    bucket alone; what is rare is told from both samples together, which favours neither.
    """
    pooled = then + now
    share = min(then.sum(), now.sum()) / pooled.sum()
    order = np.argsort(-pooled[:-1], kind="stable")
    kept = max(1, int((pooled[:-1] * share >= LEAST_EXPECTED).sum()))
    if kept > 1 and 0 < (pooled[order[kept:]].sum() + pooled[-1]) * share < LEAST_EXPECTED:
        kept -= 1  # the rest is too small alone: the smallest of the common ones joins it
    common, rare = order[:kept], np.append(order[kept:], len(pooled) - 1)
    if pooled[rare].sum() == 0:
        return then[common], now[common]
    return np.append(then[common], then[rare].sum()), np.append(now[common], now[rare].sum())
