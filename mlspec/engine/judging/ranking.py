"""Rows in the order of a score, as the curves and the areas below them need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.on_disk import beside, parts, rising

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """What lies at or above each distinct score, from the highest down."""

    scores: Floats
    """`[steps]` distinct scores, falling."""
    positives: Floats
    """`[steps]` weight of positive rows with this score or a higher one."""
    negatives: Floats
    """`[steps]` weight of the other rows with this score or a higher one."""

    @property
    def told(self) -> bool:
        """Whether there is weight on both sides, without which there is nothing to rank."""
        return bool(len(self.scores) and self.positives[-1] > 0 and self.negatives[-1] > 0)

    def area(self) -> float:
        """Return the chance that a positive row lies above another one; ties count half."""
        area, before = 0.0, (0.0, 0.0)
        for here in parts(len(self.scores)):
            hits, misses = (
                np.append(before[0], self.positives[here]),
                np.append(before[1], self.negatives[here]),
            )
            area += float(np.trapezoid(hits, misses))
            before = hits[-1], misses[-1]
        return area / float(before[0] * before[1])

    def precision(self) -> float:
        """Return the precision averaged over the positive rows, from the highest score down."""
        total, before = 0.0, 0.0
        for here in parts(len(self.scores)):
            hits, misses = self.positives[here], self.negatives[here]
            gains = np.diff(hits, prepend=before) / self.positives[-1]
            total += float((gains * hits / (hits + misses)).sum())
            before = hits[-1]
        return total


def ranking(positive: NDArray[np.bool_], score: NDArray[Any], weight: NDArray[Any] | None = None) -> Ranking:
    """Return the cumulated weights of positive and other rows by falling score; equal scores are one step.

    Args:
        positive: `[rows]` whether a row is of the positive class.
        score: `[rows]` higher for rows that are thought positive. Where it lies on disk, so does what is
            made of it.
        weight: `[rows]`, or None; rows without weight do not count.

    Example:
        >>> ranking(np.array([True, False]), np.array([0.9, 0.2])).positives.tolist()
        [1.0, 1.0]
    """
    steps = _Steps(score)
    for places in rising(lambda here: -score[here], score):
        right, said = positive[places], score[places]
        mass = np.ones(len(places)) if weight is None else weight[places]
        kept = mass > 0
        steps.add(said[kept], np.where(right, mass, 0.0)[kept], np.where(right, 0.0, mass)[kept])
    return steps.ranking()


class _Steps:
    """Cumulates rows that come by falling score. The last score waits: the next part may go on with it."""

    def __init__(self, score: Floats) -> None:
        self._columns = tuple(beside(score, score.shape, np.float64) for _ in range(3))
        self._done = 0
        self._waits: Floats | None = None

    def add(self, score: Floats, hits: Floats, misses: Floats) -> None:
        if not len(score):
            return
        start = (0.0, 0.0) if self._waits is None else self._waits[1:]
        if self._waits is not None and self._waits[0] != score[0]:
            self._keep(self._waits[:, None])
        found = np.stack(
            [score, *(np.cumsum(np.append(at, of))[1:] for at, of in zip(start, (hits, misses), strict=True))]
        )
        self._keep(found[:, np.nonzero(np.diff(score))[0]])
        self._waits = found[:, -1]

    def _keep(self, found: Floats) -> None:
        for column, values in zip(self._columns, found, strict=True):
            column[self._done : self._done + len(values)] = values
        self._done += found.shape[1]

    def ranking(self) -> Ranking:
        if self._waits is not None:
            self._keep(self._waits[:, None])
        return Ranking(*(column[: self._done] for column in self._columns))
