"""A sample of a stream of numbers that can be merged with the samples of other streams."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass
class Reservoir:
    """Keeps `size` values of a stream, each with the same chance.

    Every value draws a key, and those with the smallest keys are kept. So the smallest keys of many samples
    are a sample of all their rows: each stream counts by its rows, and none has to be weighed.

    Source: bottom-k sampling, Cohen and Kaplan (2007).

    Example:
        >>> kept = Reservoir(3, np.random.default_rng(7))
        >>> kept.add(np.arange(1000.0))
        >>> kept.values
        array([ 37., 614., 865.])
    """

    size: int
    random: np.random.Generator
    keys: Floats = field(default_factory=lambda: np.empty(0, np.float64))
    kept: Floats = field(default_factory=lambda: np.empty(0, np.float64))
    _last: float = np.inf

    @property
    def values(self) -> Floats:
        """Return the kept values, sorted."""
        return np.sort(self.kept)

    def add(self, values: Floats) -> None:
        """Take values of the stream: one draw each, and a look at the few that enter."""
        keys = self.random.random(len(values))
        enter = keys < self._last
        if not enter.any():
            return
        self._keep(np.concatenate([self.keys, keys[enter]]), np.concatenate([self.kept, values[enter]]))

    def _keep(self, keys: Floats, values: Floats) -> None:
        if len(keys) > self.size:
            least = np.argpartition(keys, self.size - 1)[: self.size]
            keys, values = keys[least], values[least]
        self.keys, self.kept = keys, values
        if len(keys) == self.size:
            self._last = float(keys.max())

    @staticmethod
    def merged(parts: Iterable[tuple[int, Floats, Floats]]) -> Floats:
        """Return the sample of all rows of many streams, sorted.

        Args:
            parts: Of each stream the size of its sample, the keys and the values. The smallest size holds.
        """
        found = [part for part in parts if len(part[1])]
        if not found:
            return np.empty(0, np.float64)
        whole = Reservoir(min(size for size, _, _ in found), np.random.default_rng(0))
        whole._keep(np.concatenate([keys for _, keys, _ in found]), np.concatenate([v for _, _, v in found]))
        return whole.values
