"""How the memory that a spec allows is shared out."""

from __future__ import annotations

from dataclasses import dataclass

LIBRARIES = 550_000_000
"""Bytes of a process that has loaded all that a run needs (Python, Arrow, DuckDB, ONNX Runtime, torch)."""
DATABASE = 300_000_000
"""Bytes with which the database can do its work on rows of any number: it spills the rest to disk."""
ROWS = 150_000_000
"""Bytes for rows on their way: batches that are read, encoded, scored or learnt from."""
SMALLEST = LIBRARIES + DATABASE + ROWS
"""Bytes with which a run in one process works."""
PART = 0.6
"""Of what is left beside libraries and rows, the database's: it holds more for moments than it says."""
WIDE = 16_384
"""Rows that are encoded at once where there is room for them."""
SCORED = 40_000_000
"""Bytes of the rows that a thread has at once when it scores: 2 x 8,192 rows of 2.5 KB."""

SHARE, MOST = 0.25, 4 * 2**30
"""Part of the machine's memory (fraction 0-1), and bytes, that the database may fill before it spills,
where the spec says nothing."""


@dataclass(frozen=True)
class Budget:
    """What each part of the work may hold, in bytes.

    Example:
        >>> Budget(2_000_000_000).database
        780000000
        >>> Budget(1_000_000_000).threads(64)
        3
    """

    memory: int
    """Bytes that the processes of a run may hold together, libraries included; at least `SMALLEST`."""

    @property
    def database(self) -> int:
        """What the database may hold before it spills to disk."""
        return max(int((self.memory - LIBRARIES - ROWS) * PART), DATABASE // 2)

    @property
    def _rows(self) -> int:
        return ROWS + max(int((self.memory - SMALLEST) * 0.25), 0)

    def threads(self, cores: int) -> int:
        """Return how many threads score at once."""
        return max(min(cores, self._rows // SCORED), 1)

    def batch(self, columns: int) -> int:
        """Return how many rows of so many columns are read or encoded at once."""
        # Raw, typed, encoded, written: about 100 bytes a value are there at once.
        return max(min(WIDE, self._rows // (100 * max(columns, 1))), 256)


def smallest(processes: int = 1) -> int:
    """Return the bytes that a run needs for rows of any number.

    Args:
        processes: That train together; each has libraries of its own, beside those of the run.
    """
    return SMALLEST + (processes * (LIBRARIES + ROWS) if processes > 1 else 0)
