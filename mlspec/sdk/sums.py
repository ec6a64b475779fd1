"""What the equations of least squares need to know of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WIDEST = 5_000
"""Most numbers and codes together: the equations are a square table of so many."""


@dataclass(frozen=True)
class Sums:
    """Sums over encoded rows, wherever they were made.

    A row is a one, its numbers, moved by `centre` and divided by `spread`, and an indicator of each code of
    each column: `width = 1 + numbers + codes`. Its target is standardised, and it counts as it weighs.
    """

    table: NDArray[np.float64]
    """X'WX, `[width, width] float64`."""
    right: NDArray[np.float64]
    """X'Wy, `[width] float64`."""
    centre: NDArray[np.float64]
    """`[numbers] float64`."""
    spread: NDArray[np.float64]
    """`[numbers] float64`, above 0."""
    counts: NDArray[np.int64]
    """Rows of each code of each column, whatever they weigh, `[codes] int64`."""
    rows: int
    """Rows that were summed up."""

    @property
    def numbers(self) -> int:
        """Number of number columns."""
        return len(self.centre)
