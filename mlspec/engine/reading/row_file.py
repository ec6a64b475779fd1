"""Raw rows on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
from pyarrow import parquet

GROUP = 65_536
"""Rows of a Parquet row group; groups do not depend on the batches that came in."""


class RowFile:
    """Writes record batches to one Parquet file: the same rows give the same bytes.

    Times are stored as whole milliseconds in UTC.

    Args:
        file: Its folder is made where absent.
        notes: Kept in the file's metadata.
    """

    def __init__(self, file: Path, notes: Mapping[str, str] | None = None) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        self._notes = dict(notes or {})
        self._writer: parquet.ParquetWriter | None = None
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0

    def __enter__(self) -> Self:
        return self

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows; the first batch settles the columns, and later ones are cast to them."""
        if self._writer is None:
            schema = pa.schema(
                [pa.field(field.name, _stored(field.type)) for field in batch.schema], metadata=self._notes
            )
            self._writer = parquet.ParquetWriter(self._file, schema, compression="zstd", store_schema=True)
        columns = [
            column.cast(field.type, safe=False)
            for column, field in zip(batch.columns, self._writer.schema, strict=True)
        ]
        self._waiting.append(pa.RecordBatch.from_arrays(columns, schema=self._writer.schema))
        self._rows += batch.num_rows
        while self._rows >= GROUP:
            self._flush(GROUP)

    def _flush(self, rows: int) -> None:
        assert self._writer is not None
        whole = pa.Table.from_batches(self._waiting)
        self._writer.write_table(whole.slice(0, rows).combine_chunks(), row_group_size=GROUP)
        rest = whole.slice(rows)
        self._waiting, self._rows = rest.to_batches(), rest.num_rows

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            if kind is None and self._rows:
                self._flush(self._rows)
            self._writer.close()


def stored_rows(
    stored: parquet.ParquetFile, rows: int, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file in batches of at most so many, in their order.

    Each row group is read apart: Arrow's reader of all of them holds more with each that it has read.

    Args:
        stored: The file.
        rows: Of a batch.
        columns: Those that are read; all where None.
    """
    for group in range(stored.num_row_groups):
        yield from stored.iter_batches(rows, row_groups=[group], columns=columns)


def _stored(kind: pa.DataType) -> pa.DataType:
    return pa.timestamp("ms", "UTC") if pa.types.is_timestamp(kind) else kind
