"""A table written batch by batch to Parquet, CSV or a stream, whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import pyarrow as pa
from pyarrow import csv, parquet

from mlspec.errors import MissingError

GROUP = 131_072
"""Rows of a Parquet row group."""


class AnswerFile:
    """Writes record batches; the file stands under its name only when all of them are written.

    Args:
        path: The file, or None for stdout.
        form: `parquet` or `csv`.
        schema: Columns of every batch.

    Raises:
        MissingError: the file cannot be written here.
    """

    def __init__(self, path: Path | None, form: Literal["parquet", "csv"], schema: pa.Schema) -> None:
        self._path = path
        self._schema = schema
        self._held: list[pa.RecordBatch] = []
        self._rows = 0
        self._temporary = None if path is None else path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            sink: Any = sys.stdout.buffer if self._temporary is None else open(self._temporary, "wb")  # noqa: SIM115
        except OSError as error:
            raise MissingError(
                f"'{path}' cannot be written: {error.strerror}", fix="check the path after -o"
            ) from error
        self._sink = sink
        self._writer: Any = (
            parquet.ParquetWriter(sink, schema) if form == "parquet" else csv.CSVWriter(sink, schema)
        )

    def __enter__(self) -> Self:
        return self

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        self._held.append(batch)
        self._rows += batch.num_rows
        if self._rows >= GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_batches(self._held, self._schema).combine_chunks())
        self._held, self._rows = [], 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
            self._writer.close()
            if self._temporary is None or self._path is None:
                self._sink.flush()
                return
            self._sink.flush()
            os.fsync(self._sink.fileno())
            self._sink.close()
            if kind is None:
                self._temporary.replace(self._path)
        finally:
            if self._temporary is not None:
                self._sink.close()
                self._temporary.unlink(missing_ok=True)
