"""Which rows are the first of their group by a hash, found without sorting them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mlspec.engine.behind import behind
from mlspec.engine.on_disk import PART, on_disk, parts
from mlspec.engine.preparing.shares import last
from mlspec.sdk.context import Context
from mlspec.sdk.split import Draw

MOST = 10_000
"""Groups that rows are counted in."""
_CELLS = 20
"""Binary digits of the number of cells in which rows are counted, of all groups together."""


def drawn(rows: ibis.Table, draw: Draw, most: int, context: Context) -> NDArray[np.uint8] | None:
    """Return the split of each place: 1 train, 2 val, 3 test, 0 where no row is; None for too many groups.

    A row's hash is made once, and kept on disk. Rows are counted by their group and by how their hash begins:
    that tells the split of nearly all, and only those are sorted whose hash begins as that of the last row of
    a split does. Of a hash 64 bits are looked at.

    Args:
        rows: `mlspec_rows`, here.
        draw: How they are drawn.
        most: One more than the highest place.
        context: Where to work.
    """
    hashes, groups = (on_disk(context.scratch, (most,), kind) for kind in (np.uint64, np.uint16))
    groups[:] = 0
    names: dict[Any, int] = {}

    def take(batch: pa.RecordBatch) -> None:
        found = batch.column(1).dictionary_encode(null_encoding="encode")
        known = [names.setdefault(name, len(names) + 1) for name in found.dictionary.to_pylist()]
        if len(names) <= MOST:
            at = batch.column(0).to_numpy()
            # The database gives the first eight bytes as they lie.
            hashes[at] = batch.column(2).to_numpy().byteswap()
            groups[at] = np.array(known, np.uint16)[found.indices.to_numpy()]

    def batches() -> Iterator[pa.RecordBatch]:
        chosen = rows.select("mlspec_row", word=rows[draw.group], text=draw.text)
        query = (
            f"SELECT mlspec_row, word, md5_number_upper(text) FROM ({ibis.to_sql(chosen, dialect='duckdb')})"
        )
        for batch in rows.get_backend().con.execute(query).to_arrow_reader(PART):
            if len(names) > MOST:
                return
            yield batch

    behind(batches(), take)
    if not 0 < len(names) <= MOST:
        return None
    return _splits(hashes, groups, len(names), _Limits(rows, draw), context)


class _Limits:
    """How many rows of a group are in which split, as `by_rank` has it."""

    def __init__(self, rows: ibis.Table, draw: Draw) -> None:
        self._backend: Any = rows.get_backend()
        self._shares = draw.shares

    def of(self, totals: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return up to which 1-based rank rows train, and up to which they train or choose.

        The database reckons them, as it does for a query: a bit of a float decides over a row.
        """
        self._backend.con.register("mlspec_totals", pa.table({"rows": totals}))
        count = self._backend.table("mlspec_totals").rows
        train, val = self._shares
        asked = count.as_table().select(train=last(count, train), val=last(count, train + val))
        found = asked.to_pyarrow()
        self._backend.con.unregister("mlspec_totals")
        return found["train"].to_numpy(), found["val"].to_numpy()


def _splits(
    hashes: NDArray[np.uint64], groups: NDArray[np.uint16], many: int, limits: _Limits, context: Context
) -> NDArray[np.uint8]:
    digits = min(_CELLS - (many - 1).bit_length(), 16)
    cells = many << digits

    def cell_of(part: slice) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        known = groups[part] > 0
        begin = (hashes[part][known] >> np.uint64(64 - digits)).astype(np.int64)
        return known, (groups[part][known].astype(np.int64) - 1 << digits) | begin

    counts = np.zeros(cells, np.int64)
    for part in parts(len(groups)):
        counts += np.bincount(cell_of(part)[1], minlength=cells)
    ends = counts.reshape(many, -1).cumsum(axis=1)
    train, val = limits.of(ends[:, -1])

    def split_of(rank: NDArray[np.int64], group: NDArray[np.int64]) -> NDArray[np.uint8]:
        return np.where(rank + 1 <= train[group], 1, np.where(rank + 1 <= val[group], 2, 3)).astype(np.uint8)

    starts = ends.ravel() - counts
    group = np.arange(cells) >> digits
    low, high = split_of(starts, group), split_of(ends.ravel() - 1, group)
    whole = np.where(low == high, low, 0).astype(np.uint8)
    found = on_disk(context.scratch, (len(groups),), np.uint8)
    cut: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for part in parts(len(groups)):
        known, cell = cell_of(part)
        found[part] = 0
        found[part][known] = whole[cell]
        open_ = whole[cell] == 0
        cut.append((part.start + np.flatnonzero(known)[open_], cell[open_]))
    places, cell = (np.concatenate(pieces) for pieces in zip(*cut, strict=True))
    order = np.lexsort((places, hashes[places], cell))
    places, cell = places[order], cell[order]
    rank = starts[cell] + np.arange(len(cell)) - np.searchsorted(cell, cell)
    found[places] = split_of(rank, cell >> digits)
    return found
