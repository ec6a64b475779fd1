"""Encoded rows, as training and parity see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Encoded:
    """Rows that went through the feature graph. Arrays may be memory-mapped and read-only."""

    numbers: NDArray[np.float32]
    """`[rows, numbers] float32`, always finite."""
    codes: NDArray[np.int32]
    """`[rows, code columns] int32`: 0 unseen or rare, 1 null, 2.. values."""
    target: NDArray[np.float64]
    """`[rows] float64`: class code, or the raw value of a number target. Empty (`[0]`) for parity rows."""
    weight: NDArray[np.float32] | None = None
    """`[rows] float32`, or None where every row counts the same."""

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.numbers)

    def part(self, rows: slice) -> Encoded:
        """Return some of the rows; nothing is copied."""
        arrays = {name: array[rows] for name, array in self.arrays().items()}
        return Encoded(**arrays)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that are there, by their names."""
        found = {name: getattr(self, name) for name in ("numbers", "codes", "target", "weight")}
        return {name: array for name, array in found.items() if array is not None}
