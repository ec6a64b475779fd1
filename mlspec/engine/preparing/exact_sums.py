"""Whole-number sums of a database, as the floats of equations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mlspec.sdk.contract import ModelInputs
from mlspec.sdk.sums import Sums


@dataclass(frozen=True)
class ExactSums:
    """Sums of whole steps: Python's own integers where a mean is to be taken out of them."""

    whole: list[int]
    """Over all rows: of one and numbers with the target, then with each other (the upper triangle)."""
    lines: NDArray[Any]
    """Over the rows of each code: of the one with target, one and numbers, `[codes, 2 + numbers]`."""
    pairs: NDArray[np.float64]
    """Over the rows of two codes: of the one with itself, `[codes, codes]`, above the diagonal."""
    counts: NDArray[np.int64]
    """Rows of each code."""
    first: NDArray[np.int64]
    """The place of each column's first code."""

    @classmethod
    def empty(cls, shape: ModelInputs) -> ExactSums:
        """Return sums over no rows."""
        first = np.concatenate([[0], np.cumsum(shape.sizes)]).astype(np.int64)
        codes, words = int(first[-1]), shape.numbers + 1
        lines = np.zeros((codes, 1 + words), object)
        return cls(
            [0] * (words + words * (words + 1) // 2),
            lines,
            np.zeros((codes, codes)),
            np.zeros(codes, np.int64),
            first,
        )

    def take(self, batch: pa.RecordBatch) -> None:
        """Put answers of the database into their places."""
        one, other, code, beside, counts = (
            batch.column(place).to_numpy(zero_copy_only=False).astype(np.int64) for place in range(5)
        )
        pair = (one >= 0) & (other >= 0)
        cells = batch.column(6).to_numpy(zero_copy_only=False)[pair]
        self.pairs[self.first[one[pair]] + code[pair], self.first[other[pair]] + beside[pair]] = cells
        for row in np.flatnonzero(~pair).tolist():
            found = [int(word) for word in batch.column(5)[row].as_py().split()]
            if one[row] < 0:
                self.whole[other[row] : other[row] + len(found)] = found
            else:
                place = self.first[one[row]] + code[row]
                self.lines[place], self.counts[place] = found, counts[row]

    def floats(self, rows: int, units: NDArray[np.float64], middles: NDArray[np.float64]) -> Sums:
        """Return sums of numbers that are moved to their mean and scaled to a spread of 1.

        Args:
            rows: How many were summed up.
            units: What a step is worth: of the one, of the target, of each number.
            middles: From where steps are counted: of the target, of each number.
        """
        words = self.lines.shape[1] - 1
        upper = np.zeros((words, words), object)
        upper[np.triu_indices(words)] = self.whole[words:]
        weight, means = upper[0, 0], upper[0, 1:]
        truth = np.array(self.whole[:words], object)
        one, ours = units[0], units[2:]
        # Integers are divided exactly and rounded once, so nothing is lost where a mean is far away.
        inner = _floats(upper[1:, 1:] * weight - np.outer(means, means), weight) * np.outer(ours, ours)
        inner = np.triu(inner) + np.triu(inner, 1).T
        spread = np.sqrt(np.diag(inner) / (float(weight) * one**2))
        spread = np.where(spread > 0, spread, 1.0)
        table = np.zeros((words + len(self.lines),) * 2)
        right = np.zeros(len(table))
        table[0, 0] = float(weight) * one**2
        table[1:words, 1:words] = inner / np.outer(spread, spread)
        right[0] = float(truth[0]) * one * units[1]
        right[1:words] = _floats(truth[1:] * weight - means * truth[0], weight) * ours * units[1] / spread
        held = self.lines[:, 1].astype(np.float64) * one**2
        right[words:] = self.lines[:, 0].astype(np.float64) * one * units[1]
        table[0, words:] = held
        moved = _floats(self.lines[:, 2:] * weight - np.outer(self.lines[:, 1], means), weight)
        table[1:words, words:] = (moved * one * ours / spread).T
        table[words:, words:] = self.pairs * one**2 + np.diag(held)
        table = np.triu(table) + np.triu(table, 1).T
        centre = middles[1:] + _floats(means, weight) * ours / one
        return Sums(table, right, centre, spread, self.counts, rows)


def _floats(whole: NDArray[Any], divisor: int) -> NDArray[np.float64]:
    """Return whole numbers divided, each rounded once."""
    return np.asarray(whole / divisor, np.float64) if whole.size else np.zeros(whole.shape)
