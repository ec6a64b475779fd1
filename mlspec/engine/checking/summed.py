"""Runs of sorted numbers, summed up as if all their rows were looked at in one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.checking.profile import Run
from mlspec.engine.checking.quantiles import between
from mlspec.engine.graph.moments import Moments, grid, of_sums
from mlspec.engine.graph.streamed import whole_steps

SLICE = 2_000_000
"""Numbers that are merged at once, about."""
_LOOKED_AT = 64
"""Numbers of a run that tell where it is cut."""
_DIGITS, _MANY, _AT_ONCE = 20, 64, 65_536
"""Binary digits of a whole number's lower part; rows of a number, and numbers, whose products of two such
parts add up within 64 bits."""


@dataclass(frozen=True)
class Summed:
    """What a column of numbers holds."""

    moments: Moments
    distinct: int
    quantiles: tuple[float, ...]
    """Interpolated linearly; empty where there is no number."""


def summed(runs: Sequence[Run], shares: Sequence[float]) -> Summed:
    """Return what all runs hold together: whatever the runs, the same for the same numbers.

    Args:
        runs: None of which is empty.
        shares: Of rows below each quantile (fractions 0-1).
    """
    rows = sum(_rows(run) for run in runs)
    if not rows:
        return Summed(Moments(0, None, None, None, None), 0, ())
    low, high = float(min(values[0] for values, _ in runs)), float(max(values[-1] for values, _ in runs))
    cut = grid(low, high) if low != high else None
    place = np.asarray(shares) * (rows - 1)
    below = np.floor(place).astype(np.int64)
    wanted = np.stack([below, np.minimum(below + 1, rows - 1)])
    picked = np.zeros(wanted.shape)
    distinct = done = total = squares = 0
    for values, counts in _merged(runs):
        distinct += len(values)
        ends = done + np.cumsum(counts)
        inside = (wanted >= done) & (wanted < ends[-1])
        picked[inside] = values[np.searchsorted(ends, wanted[inside], side="right")]
        done = int(ends[-1])
        if cut is not None:
            more, squared = _sums(values, counts, *cut)
            total, squares = total + more, squares + squared
    moments = of_sums(rows, low, high, cut, total, squares)
    return Summed(moments, distinct, tuple(between(picked[0], picked[1], place - below)))


def _rows(run: Run) -> int:
    values, counts = run
    return len(values) if counts is None else int(counts.sum())


def _merged(runs: Sequence[Run]) -> Iterator[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Yield distinct numbers, rising, with their rows; a bounded number at once."""
    cuts = _cuts(runs)
    starts = [0] * len(runs)
    for cut in (*cuts, math.inf):
        ends = [int(np.searchsorted(values, cut, side="right")) for values, _ in runs]
        pieces = [
            (values[start:end], None if counts is None else counts[start:end])
            for (values, counts), start, end in zip(runs, starts, ends, strict=True)
            if end > start
        ]
        starts = ends
        if pieces:
            yield _one(pieces)


def _cuts(runs: Sequence[Run]) -> list[float]:
    total = sum(len(values) for values, _ in runs)
    many = -(-total // SLICE)
    if many == 1:
        return []
    seen, weights = [], []
    for values, _ in runs:
        at = np.linspace(0, len(values) - 1, min(_LOOKED_AT, len(values))).astype(np.int64)
        seen.append(values[at])
        weights.append(np.full(len(at), len(values) / len(at)))
    places = np.argsort(np.concatenate(seen))
    ordered, reached = np.concatenate(seen)[places], np.cumsum(np.concatenate(weights)[places])
    at = np.searchsorted(reached, np.arange(1, many) * (total / many))
    return sorted(set(ordered[np.minimum(at, len(ordered) - 1)].tolist()))


def _one(pieces: Sequence[Run]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    values = np.concatenate([values for values, _ in pieces])
    if all(counts is None for _, counts in pieces):
        values = np.sort(values)
        starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
        return values[starts], np.diff(np.r_[starts, len(values)])
    counts = np.concatenate(
        [np.ones(len(values), np.int64) if counts is None else counts for values, counts in pieces]
    )
    order = np.argsort(values, kind="stable")
    values, counts = values[order], counts[order]
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    return values[starts], np.add.reduceat(counts, starts)


def _sums(
    values: NDArray[np.float64], counts: NDArray[np.int64], middle: float, step: float
) -> tuple[int, int]:
    """Return the exact sums of numbers in whole steps, and of their squares."""
    exact = whole_steps(values, middle, step)
    many = counts > _MANY
    total = sum(int(value) * int(rows) for value, rows in zip(exact[many], counts[many], strict=True))
    squares = sum(int(value) ** 2 * int(rows) for value, rows in zip(exact[many], counts[many], strict=True))
    exact, counts = exact[~many], counts[~many]
    high, low = exact >> _DIGITS, exact & ((1 << _DIGITS) - 1)
    for start in range(0, len(exact), _AT_ONCE):
        rows, upper, lower = (part[start : start + _AT_ONCE] for part in (counts, high, low))
        total += (int((rows * upper).sum()) << _DIGITS) + int((rows * lower).sum())
        squares += int((rows * upper * upper).sum()) << (2 * _DIGITS)
        squares += int((rows * upper * lower).sum()) << (_DIGITS + 1)
        squares += int((rows * lower * lower).sum())
    return total, squares
