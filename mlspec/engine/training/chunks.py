"""Ready-made pieces of an epoch: several batches at once, so that the loop around them costs little."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from mlspec.engine.training.group import Group
from mlspec.engine.training.loss import TRUTH
from mlspec.engine.training.spans import Span, read_ahead, read_spans
from mlspec.engine.training.weights import mean_weight
from mlspec.engine.training.windows import Window, numbered, windows_of
from mlspec.sdk.contract import FittedTarget
from mlspec.sdk.encoded import Encoded

BATCHES = 16
"""Batches a chunk: what Lightning does around each step is paid once for so many."""
SCORED = 8192
"""Rows that are scored at once where nothing is learnt of them; what a module makes of a whole chunk on the
way would be the most memory that a training takes."""
PIECE = 1_000_000
"""Rows of which it is computed at once how likely they are drawn."""

Chunk = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor | None]
"""`[rows, k] float32`, `[rows, m] int64`, `[rows]` truth, `[rows] float32` weights or None."""


@dataclass(frozen=True)
class Rows:
    """Encoded rows as tensors; arrays in memory or memory-mapped are shared, and only what is taken is
    copied.
    """

    numbers: torch.Tensor
    codes: torch.Tensor
    raw: torch.Tensor
    """`[rows] float64`: class codes, or the values of a number target."""
    own: torch.Tensor | None
    """`[rows] float32`: weights as the data has them, or None."""
    encoded: Encoded
    """What the tensors share."""
    target: FittedTarget
    factors: torch.Tensor | None
    """`[classes] float64`: one factor a class, or None."""
    mean: float | None
    """Of all rows' weights, by which each is divided; None where all weigh the same."""

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, places: torch.Tensor | slice) -> Chunk:
        """Return some rows, with their truth and weights as the loss takes them."""
        raw = self.raw[places]
        own = None if self.own is None else self.own[places]
        return self.numbers[places], self.codes[places].long(), self._truth(raw), self._weight(raw, own)

    @property
    def bytes(self) -> int:
        """Bytes of all rows, encoded."""
        return sum(one.nbytes for one in (self.numbers, self.codes, self.raw, self.own) if one is not None)

    def read(self, spans: Sequence[Span]) -> Rows:
        """Return the rows of some spans, in memory."""
        arrays = {name: read_spans(array, spans) for name, array in self.encoded.arrays().items()}
        return _rows(Encoded(**arrays), self.target, self.factors, self.mean)

    def ahead(self, spans: Sequence[Span] | None = None) -> None:
        """Let the system bring the rows of some spans, or all rows, into its cache meanwhile."""
        for array in self.encoded.arrays().values():
            read_ahead(array, [(0, len(self))] if spans is None else spans)

    def _truth(self, raw: torch.Tensor) -> torch.Tensor:
        if self.target.kind == "number":
            raw = (raw - self.target.mean) / (self.target.std or 1.0)
        return raw.to(TRUTH[self.target.kind])

    def _weight(self, raw: torch.Tensor, own: torch.Tensor | None) -> torch.Tensor | None:
        if self.mean is None:
            return None
        weight = torch.ones(len(raw), dtype=torch.float64) if own is None else own.double()
        if self.factors is not None:
            weight = weight * self.factors[raw.long()]
        return (weight / self.mean).float()


def rows_of(encoded: Encoded, target: FittedTarget, factors: tuple[float, ...] | None) -> Rows:
    """Return encoded rows as tensors; nothing is read of them but their weights, once.

    Raises:
        StepError: a weight is negative or not finite, or all are zero.
    """
    weights = None if factors is None else torch.tensor(factors, dtype=torch.float64)
    return _rows(encoded, target, weights, mean_weight(encoded, factors))


def _rows(encoded: Encoded, target: FittedTarget, factors: torch.Tensor | None, mean: float | None) -> Rows:
    own = None if encoded.weight is None else shared(encoded.weight)
    numbers, codes, raw = shared(encoded.numbers), shared(encoded.codes), shared(encoded.target)
    return Rows(numbers, codes, raw, own, encoded, target, factors, mean)


def draws(encoded: Encoded, target: FittedTarget) -> torch.Tensor:
    """Return how likely each row is drawn where classes come equally often: `[rows] float64`, added up."""
    pieces = [slice(start, start + PIECE) for start in range(0, encoded.rows, PIECE)]
    rows = np.zeros(len(target.classes), np.int64)
    for piece in pieces:
        rows += np.bincount(encoded.target[piece].astype(np.int64), minlength=len(rows))
    found, sum_ = np.empty(encoded.rows), 0.0
    for piece in pieces:
        each = 1.0 / (np.count_nonzero(rows) * rows[encoded.target[piece].astype(np.int64)])
        found[piece] = np.cumsum(np.append(sum_, each))[1:]
        sum_ = found[piece][-1]
    return torch.from_numpy(found)


def shared(array: NDArray[np.generic]) -> torch.Tensor:
    """Return a tensor over an array's own memory; read-only memory is never written by training."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)


class Shuffled:
    """The chunks of one epoch after the other, each epoch in an order of its own that the seed decides.

    Rows that are far more than memory holds are read in blocks, see `Windows`.

    Args:
        rows: The training rows.
        batch_size: Rows a batch, of all ranks together.
        seed: Start of every order; it is the same for every rank.
        epoch: 0-based epoch that the next iteration gives.
        chunk: Chunks of that epoch that were already taken.
        group: Whose part of each batch is given: see `part`.
        draws: `[rows] float64`, rising to 1: how likely each row is drawn, added up. Then as many rows as
            there are come in an epoch, some of them several times; absent, each row comes once.
    """

    def __init__(
        self,
        rows: Rows,
        batch_size: int,
        seed: int,
        epoch: int = 0,
        chunk: int = 0,
        group: Group | None = None,
        draws: torch.Tensor | None = None,
    ) -> None:
        self.rows, self.batch, self.seed = rows, batch_size, seed
        self.epoch, self.chunk, self.group = epoch, chunk, group or Group()
        self.draws = draws
        self.windows = None if draws is not None else windows_of(len(rows), rows.bytes, batch_size * BATCHES)
        """How an epoch is cut; None where it is one order of all rows."""

    def __iter__(self) -> Iterator[Chunk]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        first = self.chunk
        self.epoch, self.chunk = self.epoch + 1, 0
        if self.windows is None:
            self.rows.ahead()
            yield from self._taken(self.rows, self._order(generator), first)
            return
        each = self.windows.window // (self.batch * BATCHES)
        passed, first = divmod(first, each)
        for spans, order in self._cut(self.windows.epoch(generator, passed)):
            # Read in the call: nothing here holds a window once the next one is read.
            yield from self._taken(self.rows.read(spans), order, first)
            first = 0

    def _cut(self, windows: Iterator[Window]) -> Iterator[Window]:
        """Yield windows; while one is trained on, the system brings the next one from the disk."""
        now = next(windows, None)
        while now is not None:
            after = next(windows, None)
            if after is not None:
                self.rows.ahead(after[0])
            yield now
            now = after

    def _taken(self, rows: Rows, order: torch.Tensor, first: int) -> Iterator[Chunk]:
        for places in torch.split(order, self.batch * BATCHES)[first:]:
            if self.group.ranks > 1:
                batches = torch.split(places, self.batch)
                places = torch.cat([batch[part(len(batch), self.group)] for batch in batches])
            yield rows.take(places.long())

    def places(self, epoch: int, chunk: int) -> tuple[torch.Tensor, ...]:
        """Return the numbers of this rank's rows, of each batch of a chunk.

        Args:
            epoch: 0-based.
            chunk: Chunks of that epoch that come before it.
        """
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        if self.windows is None:
            order = self._order(generator)
        else:
            passed, chunk = divmod(chunk, self.windows.window // (self.batch * BATCHES))
            spans, mixed = next(self.windows.epoch(generator, passed))
            order = torch.cat([torch.arange(start, stop) for start, stop in spans])[mixed.long()]
        batches = torch.split(torch.split(order, self.batch * BATCHES)[chunk], self.batch)
        return tuple(batch[part(len(batch), self.group)].long() for batch in batches)

    def _order(self, generator: torch.Generator) -> torch.Tensor:
        count = len(self.rows)
        kind = numbered(count)
        if self.draws is None:
            return torch.randperm(count, generator=generator, dtype=kind)
        found = torch.empty(count, dtype=kind)
        for piece in torch.split(found, PIECE):
            drawn = torch.rand(len(piece), generator=generator, dtype=torch.float64)
            piece.copy_(torch.searchsorted(self.draws, drawn, right=True).clamp_(max=count - 1))
        return found


def part(rows: int, group: Group) -> slice:
    """Return the part of a batch that a rank scores: its share, or one row where that is empty.

    That row does not count. Every rank takes every step, also where the last batch has fewer rows than there
    are ranks.
    """
    return group.share(rows) if group.count(rows) else slice(0, 1)


class InOrder:
    """A rank's part of all rows once, in their order, in chunks of the same memory as in training.

    Every rank has as many chunks, one row more or less in each: a weight that is parted over ranks is
    gathered by all of them at once.
    """

    def __init__(self, rows: Rows, size: int, group: Group | None = None) -> None:
        group = group or Group()
        # A rank whose share is empty looks at a row that does not count: Lightning skips what is empty.
        found = part(len(rows), group)
        most = max(group.count(len(rows), rank) for rank in range(group.ranks))
        count, own = max(1, -(-most // size)), found.stop - found.start
        if group.ranks == 1:
            cuts = [*range(0, own, size), own]
        else:
            cuts = [place * own // count for place in range(count + 1)]
        self.rows = rows
        self.pieces = max(1, -(-min(most, size) // SCORED))
        """Pieces in which a chunk is scored: as many on every rank, and none of them empty where there are
        several ranks."""
        self.parts = tuple(slice(found.start + one, found.start + other) for one, other in pairwise(cuts))

    def __len__(self) -> int:
        return len(self.parts)

    def __iter__(self) -> Iterator[Chunk]:
        for places in self.parts:
            yield self.rows.take(places)
