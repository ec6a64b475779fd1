"""How far one column alone tells the target."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.judging.ranking import ranking

GROUP = 10
"""Rows that a value must have on average before its rows say something about the value."""


class Strength(NamedTuple):
    """How strong a column is, by the measure that suits it."""

    measure: str
    value: float
    """0 for nothing, 1 for all."""


def number_by_class(values: NDArray[np.float64], codes: NDArray[np.int64]) -> Strength:
    """Return how well a number ranks two classes: their AUROC, in the better direction."""
    steps = ranking(codes == 1, values)
    if not steps.told:
        return Strength("AUROC", 0.0)
    area = steps.area()
    return Strength("AUROC", max(area, 1 - area))


def number_by_classes(values: NDArray[np.float64], codes: NDArray[np.int64]) -> Strength:
    """Return the share of neighbours, sorted by a number, that are of one class; 0 where values repeat much.

    Classes that each have a range of their own change as often as there are classes, less one.
    """
    if len(np.unique(values)) * GROUP <= len(values):
        return group_by_class(np.unique(values, return_inverse=True)[1], codes)
    order = np.argsort(values, kind="stable")
    changes = int((np.diff(codes[order]) != 0).sum()) - (len(np.unique(codes)) - 1)
    return Strength("share of neighbours of one class", 1 - max(changes, 0) / max(len(values) - 1, 1))


def number_by_number(values: NDArray[np.float64], truth: NDArray[np.float64]) -> Strength:
    """Return the larger of Pearson's and Spearman's correlation, without its sign."""
    if np.ptp(values) == 0 or np.ptp(truth) == 0:
        return Strength("|r|", 0.0)
    straight = abs(float(np.corrcoef(values, truth)[0, 1]))
    ranked = abs(float(np.corrcoef(_ranks(values), _ranks(truth))[0, 1]))
    return Strength("|r|", straight) if straight >= ranked else Strength("|rank r|", ranked)


def group_by_class(groups: NDArray[np.int64], codes: NDArray[np.int64]) -> Strength:
    """Return the share of the majority's errors that answering each group's own majority takes away."""
    width, height = int(groups.max()) + 1, int(codes.max()) + 1
    if width * GROUP > len(groups):
        return Strength("explained share", 0.0)
    cells = np.bincount(groups * height + codes, minlength=width * height).reshape(width, height)
    errors, before = len(groups) - cells.max(axis=1).sum(), len(groups) - cells.sum(axis=0).max()
    return Strength("explained share", float(1 - errors / before) if before else 0.0)


def group_by_number(groups: NDArray[np.int64], truth: NDArray[np.float64]) -> Strength:
    """Return the share of a number's variance that lies between the groups (eta squared)."""
    counts = np.bincount(groups)
    spread = float(((truth - truth.mean()) ** 2).sum())
    if len(counts) * GROUP > len(groups) or spread == 0:
        return Strength("explained share", 0.0)
    means = np.bincount(groups, truth) / np.maximum(counts, 1)
    return Strength("explained share", 1 - float(((truth - means[groups]) ** 2).sum()) / spread)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ranks of values; equal ones share the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    found: NDArray[np.float64] = (last - (counts - 1) / 2)[places]
    return found
