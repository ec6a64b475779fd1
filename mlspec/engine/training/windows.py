"""The order of an epoch where its rows are far more than memory holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from mlspec.engine.training.spans import Span

WHOLE = 2**30
"""Bytes of encoded rows up to which an epoch is one random order of all rows."""
BLOCK = 2**17
"""Bytes of rows that lie together on disk, and stay together until they are in memory."""
WINDOW = 2**26
"""Bytes of rows that are in memory at once, about; 512 blocks from anywhere are mixed in it."""

Window = tuple[list[Span], torch.Tensor]
"""Spans of rows to read, in the order of the file, and the order of what was read."""


def numbered(rows: int) -> torch.dtype:
    """Return the type of numbers of rows: an order of them takes half the memory where four bytes do.

    The numbers themselves, and what a generator gives after them, do not depend on it.
    """
    return torch.int32 if rows <= 2**31 - 1 else torch.int64


@dataclass(frozen=True)
class Windows:
    """Blocks in a random order; the rows of as many blocks as a window holds in a random order.

    What is chosen depends on the rows alone, never on a machine's memory: the same rows and the same seed
    give the same order everywhere.

    Example:
        >>> order = Windows(rows=10, block=2, window=6)
        >>> found = [spans for spans, _ in order.epoch(torch.Generator().manual_seed(1))]
        >>> sorted(row for spans in found for start, stop in spans for row in range(start, stop))
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """

    rows: int
    block: int
    """Rows of a block; the last one may be shorter."""
    window: int
    """Rows of a window; the last one may be shorter."""

    def __len__(self) -> int:
        return -(-self.rows // self.window)

    def epoch(self, generator: torch.Generator, first: int = 0) -> Iterator[Window]:
        """Yield, window by window, the spans of rows to read, in the order of the file, and the order of what
        was read: `[rows of the window] int32`.

        Args:
            generator: Decides over all of it.
            first: Windows that are passed over.
        """
        blocks = -(-self.rows // self.block)
        order = torch.randperm(blocks, generator=generator)
        seeds = torch.randint(2**62, (len(self),), generator=generator)
        lengths = torch.full((blocks,), self.block)
        lengths[order == blocks - 1] = self.rows - (blocks - 1) * self.block
        ends = torch.cumsum(lengths, 0)
        for number in range(first, len(self)):
            start, stop = number * self.window, min((number + 1) * self.window, self.rows)
            low = int(torch.searchsorted(ends, start, right=True))
            high = int(torch.searchsorted(ends, stop, right=False))
            spans = []
            for place in range(low, high + 1):
                begin = int(ends[place] - lengths[place])
                base = int(order[place]) * self.block - begin
                spans.append((base + max(begin, start), base + min(int(ends[place]), stop)))
            own = torch.Generator().manual_seed(int(seeds[number]))
            yield sorted(spans), torch.randperm(stop - start, generator=own, dtype=numbered(stop - start))


def windows_of(rows: int, size: int, chunk: int) -> Windows | None:
    """Return how an epoch is cut; None where all rows are put into one order.

    Args:
        rows: How many there are.
        size: Bytes of all of them, encoded.
        chunk: Rows that are taken at once: a window is a whole number of chunks.
    """
    if size <= WHOLE:
        return None
    each = size / rows
    return Windows(rows, max(int(BLOCK / each), 1), max(int(WINDOW / each / chunk), 1) * chunk)
