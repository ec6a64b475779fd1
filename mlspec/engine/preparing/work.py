"""Rows that are here, encoded through the feature graph and written down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import parquet

from mlspec.engine.builder import CODES, NUMBERS
from mlspec.engine.graph.session import Session
from mlspec.engine.preparing.encoded_files import EncodedFiles, Run
from mlspec.engine.preparing.shards import ShardWriter
from mlspec.engine.reading.row_file import RowFile, stored_rows
from mlspec.engine.sql import literal, quote
from mlspec.errors import StepError
from mlspec.sdk.budget import WIDE, Budget
from mlspec.sdk.context import Context
from mlspec.sdk.contract import FittedTarget, InputColumn, ModelInputs

HELD_OUT = 10_000
"""Rows of the test split that parity is tried on, at most."""


@dataclass(frozen=True)
class Work:
    """Rows, and all that encodes them."""

    rows: ibis.Table
    columns: tuple[InputColumn, ...]
    shape: ModelInputs
    target: FittedTarget
    weight: str | None
    session: Session
    context: Context
    files: EncodedFiles | None
    """Where rows come from several files here."""

    @property
    def batch(self) -> int:
        """Return how many rows are encoded at once."""
        memory = self.context.memory
        return WIDE if memory is None else Budget(memory).batch(len(self.columns))

    def batches(self, split: str, names: Sequence[str], condition: str = "true") -> Iterator[pa.RecordBatch]:
        """Yield a split's rows in their order."""
        chosen = ", ".join(quote(name) for name in names)
        query = f"SELECT {chosen} FROM mlspec_assigned WHERE mlspec_split = {literal(split)} AND {condition}"
        yield from self.rows.get_backend().con.execute(query).to_arrow_reader(self.batch)

    def encode(self, split: str, count: int, folder: Path) -> None:
        """Write a split's shards."""
        names = [item.name for item in self.columns]
        carried = [*names, self.target.column, *([self.weight] if self.weight else [])]
        done = 0
        runs = self.files.runs(split) if self.files else (Run(None, "true"),)
        with ShardWriter(folder, count, self.shape, weight=self.weight is not None) as shards:
            for run in runs:
                for piece in run.pieces(self.batch):
                    shards.write(**piece.arrays())
                    done += piece.rows
                    self.context.progress(done, count, "rows")
                if run.kept is not None:
                    continue
                for batch in self.batches(split, list(dict.fromkeys(carried)), run.condition):
                    encoded = self.session.run(batch.select(names))
                    weight = batch.column(self.weight).to_numpy(zero_copy_only=False) if self.weight else None
                    shards.write(
                        encoded[NUMBERS],
                        encoded[CODES],
                        self._coded(batch.column(self.target.column), split),
                        weight,
                    )
                    done += batch.num_rows
                    self.context.progress(done, count, "rows")

    def _coded(self, column: pa.Array, split: str) -> NDArray[np.float64]:
        if self.target.kind == "number":
            return np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
        codes = pc.index_in(column, value_set=pa.array(self.target.classes, column.type))
        if codes.null_count:
            value = column.filter(pc.is_null(codes))[0].as_py()
            raise StepError(
                f"the class '{value}' of '{self.target.column}' is in {split} and in no training row",
                where="data.split",
                fix="stratify the split, or leave that class out",
            )
        return np.asarray(codes.to_numpy(zero_copy_only=False), np.float64)

    def keep_keys(self, key: Sequence[str], file: Path) -> None:
        """Write what the training split's rows are called, in their order: places in the source, and keys."""
        with RowFile(file) as rows:
            for batch in self.batches("train", ["mlspec_row", *key]):
                rows.write(batch)

    def keep_test(self, count: int, file: Path) -> None:
        """Write the test split's raw rows with all columns."""
        names = [name for name in self.rows.columns if not name.startswith("mlspec_")]
        done = 0
        with RowFile(file, {"mlspec.weight": self.weight} if self.weight else None) as rows:
            for batch in self.batches("test", names):
                self._check_classes(batch)
                rows.write(batch)
                done += batch.num_rows
                self.context.progress(done, count, "rows")

    def _check_classes(self, batch: pa.RecordBatch) -> None:
        self._coded(batch.column(self.target.column), "test")

    def keep_parity(self, count: int, hostile: pa.RecordBatch, output: Path) -> None:
        """Write held-out and hostile rows, raw and encoded; both from the same file."""
        names = [item.name for item in self.columns]
        file = output / "rows" / "parity.parquet"
        kept = min(count, HELD_OUT)
        with RowFile(file, {"mlspec.held_out": str(kept)}) as rows:
            seen = 0
            for batch in self.batches("test", names):
                at = np.arange(seen, seen + batch.num_rows, dtype=np.int64)
                rows.write(batch.filter(pa.array((at * kept) % count < kept)))
                seen += batch.num_rows
                self.context.progress(seen, count, "rows")
            rows.write(hostile.select(names))
        stored = parquet.ParquetFile(file)
        with ShardWriter(
            output / "shards" / "parity", stored.metadata.num_rows, self.shape, target=False
        ) as shards:
            for batch in stored_rows(stored, self.batch):
                encoded = self.session.run(batch)
                shards.write(encoded[NUMBERS], encoded[CODES])
