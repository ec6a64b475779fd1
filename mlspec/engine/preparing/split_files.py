"""The files of the splits, written side by side as rows come by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa

from mlspec.engine.preparing.encoded_files import SPLITS
from mlspec.engine.preparing.shards import ShardWriter
from mlspec.engine.reading.row_file import RowFile
from mlspec.sdk.contract import ModelInputs

HELD_OUT = 10_000
"""Rows of the test split that parity is tried on, at most."""
PARITY = Path("rows", "parity.parquet")


class SplitFiles:
    """Shards of train and val, the test split's raw rows, and rows that parity is tried on; use it as a
    context.

    Args:
        output: Where `shards/` and `rows/` are made.
        counts: How many rows of each split will come; one that is not named has no shards.
        inputs: Shape of encoded rows.
        names: The raw columns that are encoded.
        weight: The column of weights.
    """

    def __init__(
        self,
        output: Path,
        counts: Mapping[str, int],
        inputs: ModelInputs,
        names: Sequence[str],
        weight: str | None,
    ) -> None:
        self._names, self._judging, self._judged = list(names), counts["test"], 0
        self._held_out = min(self._judging, HELD_OUT)
        self.shards = {
            split: ShardWriter(output / "shards" / split, counts[split], inputs, weight=weight is not None)
            for split in SPLITS
            if split in counts
        }
        self.test = RowFile(output / "rows" / "test.parquet", {"mlspec.weight": weight} if weight else None)
        self.parity = RowFile(output / PARITY, {"mlspec.held_out": str(self._held_out)})
        self.rows = 0
        """Rows that were written."""
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            for shards in self.shards.values():
                opened.enter_context(shards)
            for rows in (self.test, self.parity):
                opened.enter_context(rows)
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *raised: Any) -> None:
        self._opened.__exit__(*raised)

    def judge(self, rows: pa.RecordBatch, check: Callable[[pa.RecordBatch], object]) -> None:
        """Write raw rows of the test split, and their share of the rows that parity is tried on.

        Args:
            rows: With all columns.
            check: Refuses rows that cannot be judged.
        """
        if not rows.num_rows:
            return
        check(rows)
        self.test.write(rows)
        at = np.arange(self._judged, self._judged + rows.num_rows, dtype=np.int64)
        held = pa.array((at * self._held_out) % self._judging < self._held_out)
        self.parity.write(rows.select(self._names).filter(held))
        self._judged += rows.num_rows
        self.rows += rows.num_rows
