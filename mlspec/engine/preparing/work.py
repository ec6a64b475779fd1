"""Rows that are here, encoded through the feature graph and written down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import parquet

from mlspec.engine.behind import behind
from mlspec.engine.builder import CODES, NUMBERS
from mlspec.engine.graph.session import Session
from mlspec.engine.preparing.encoded_files import EncodedFiles, Run
from mlspec.engine.preparing.shards import ShardWriter
from mlspec.engine.preparing.split_files import PARITY, SplitFiles
from mlspec.engine.reading.row_file import RowFile, stored_rows
from mlspec.engine.sql import quote
from mlspec.errors import StepError
from mlspec.sdk.budget import WIDE, Budget
from mlspec.sdk.context import Context
from mlspec.sdk.contract import FittedTarget, InputColumn, ModelInputs


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

    @property
    def _names(self) -> list[str]:
        return [item.name for item in self.columns]

    def write(self, counts: Mapping[str, int], hostile: pa.RecordBatch, output: Path) -> None:
        """Write shards of train and val, the test split's raw rows, and those that parity is tried on.

        All rows are read once; those of a batch are encoded and written while the next is read.

        Args:
            counts: Rows of each split that is here.
            hostile: Rows that parity is tried on beside held-out ones.
            output: The step's.
        """
        runs = self.files.runs() if self.files else (Run(None, "true"),)
        total = sum(counts.values())
        with SplitFiles(output, counts, self.shape, self._names, self.weight) as files:

            def take(batch: pa.RecordBatch) -> None:
                self._take(batch, files)
                self.context.progress(files.rows, total, "rows")

            for run in runs:
                for split, shards in files.shards.items():
                    for piece in run.pieces(split, self.batch):
                        shards.write(**piece.arrays())
                        files.rows += piece.rows
                behind(self._batches(run.condition), take)
            files.parity.write(hostile.select(self._names))
        self._encode_parity(output)

    def _batches(self, condition: str) -> Iterator[pa.RecordBatch]:
        """Yield rows in their order and last their split: of those that do not judge, what encodes them."""
        needed = {*self._names, self.target.column, self.weight}
        names = [name for name in self.rows.columns if not name.startswith("mlspec_")]
        judging = "CASE WHEN mlspec_split = 'test' THEN {0} END AS {0}"
        chosen = [quote(name) if name in needed else judging.format(quote(name)) for name in names]
        query = f"SELECT {', '.join(chosen)}, mlspec_split FROM mlspec_assigned WHERE {condition}"
        yield from self.rows.get_backend().con.execute(query).to_arrow_reader(self.batch)

    def _take(self, batch: pa.RecordBatch, files: SplitFiles) -> None:
        rows, splits = batch.select(batch.schema.names[:-1]), batch.column(batch.num_columns - 1)
        judging = pc.equal(splits, "test")
        files.judge(rows.filter(judging), lambda held: self._coded(held, splits.filter(judging)))
        learnt = pc.invert(judging)
        rows, splits = rows.filter(learnt), splits.filter(learnt)
        if not rows.num_rows:
            return
        arrays = self.encoded(rows, splits)
        for split, shards in files.shards.items():
            mine = np.asarray(pc.equal(splits, split).to_numpy(zero_copy_only=False))
            shards.write(**{name: array[mine] for name, array in arrays.items()})
        files.rows += rows.num_rows

    def encoded(self, rows: pa.RecordBatch, splits: pa.Array) -> dict[str, NDArray[Any]]:
        """Return raw rows as a model learns of them, each array under its name in the shards.

        Args:
            rows: With features, target and weight.
            splits: Of each row, for messages.
        """
        found = self.session.run(rows.select(self._names))
        arrays = {"numbers": found[NUMBERS], "codes": found[CODES], "target": self._coded(rows, splits)}
        if self.weight:
            arrays["weight"] = rows.column(self.weight).to_numpy(zero_copy_only=False)
        return arrays

    def _coded(self, rows: pa.RecordBatch, splits: pa.Array) -> NDArray[np.float64]:
        column = rows.column(self.target.column)
        if self.target.kind == "number":
            return np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
        codes = pc.index_in(column, value_set=pa.array(self.target.classes, column.type))
        if codes.null_count:
            value, split = (found.filter(pc.is_null(codes))[0].as_py() for found in (column, splits))
            raise StepError(
                f"the class '{value}' of '{self.target.column}' is in {split} and in no training row",
                where="data.split",
                fix="stratify the split, or leave that class out",
            )
        return np.asarray(codes.to_numpy(zero_copy_only=False), np.float64)

    def keep_keys(self, key: Sequence[str], file: Path) -> None:
        """Write what the training split's rows are called, in their order: places in the source, and keys."""
        chosen = ", ".join(quote(name) for name in ("mlspec_row", *key))
        query = f"SELECT {chosen} FROM mlspec_assigned WHERE mlspec_split = 'train'"
        with RowFile(file) as rows:
            for batch in self.rows.get_backend().con.execute(query).to_arrow_reader(self.batch):
                rows.write(batch)

    def _encode_parity(self, output: Path) -> None:
        """Encode the rows that parity is tried on from the file of the raw ones."""
        stored = parquet.ParquetFile(output / PARITY)
        folder, rows = output / "shards" / "parity", stored.metadata.num_rows
        with ShardWriter(folder, rows, self.shape, target=False) as shards:
            for batch in stored_rows(stored, self.batch):
                encoded = self.session.run(batch)
                shards.write(encoded[NUMBERS], encoded[CODES])
