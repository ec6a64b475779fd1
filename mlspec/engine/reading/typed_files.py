"""Typed rows in Parquet files of our own: written once, as a source is read, and asked where they lie."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import duckdb
from pyarrow import parquet

from mlspec.engine.reading.cast import Cast
from mlspec.engine.spill import spill
from mlspec.engine.sql import file_list, literal, quote
from mlspec.sdk.context import Context

GROUP, VALUES = 122_880, 5_000_000
"""Rows and values of a row group at most: one of them is in memory while it is written."""
CHUNK = 2_048
"""Rows that DuckDB has at once, and of a row group at least."""
OURS = ("mlspec_reject", "mlspec_raw")


def scratch_file(context: Context) -> Path:
    """Return an empty file for typed rows, which is gone when the step ends."""
    folder = spill(context.scratch, "rows")
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(suffix=".parquet", dir=folder)
    os.close(descriptor)
    return Path(name)


def write_typed(connection: Any, rows: str, casts: Sequence[Cast], file: Path) -> None:
    """Write typed rows to a file as they come, in their order; a bounded number of them is in memory.

    Columns have names of our own there, for DuckDB takes some for others.

    Args:
        connection: A DuckDB.
        rows: SQL that stands behind FROM, with the columns of `load.typed`.
        casts: How each column is read.
        file: It is written anew.
    """
    names = [f"{quote(item.role.column)} AS c{at}" for at, item in enumerate(casts)]
    group = min(GROUP, VALUES // len(casts))
    while True:
        try:
            connection.execute(
                f"COPY (SELECT {', '.join([*names, *OURS])} FROM {rows}) TO {literal(str(file))} "
                f"(FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE {max(group // CHUNK, 1) * CHUNK})"
            )
            return
        except duckdb.OutOfMemoryException:
            # Nobody knows before how long texts are.
            if group <= CHUNK:
                raise
            group //= 8


def view_typed(connection: Any, files: Sequence[Path], casts: Sequence[Cast]) -> tuple[int, ...]:
    """Make the view `mlspec_typed` of some files, and return how many rows each has.

    It has `mlspec_row`, a row's 0-based place in all of them, and `mlspec_part`, the place of its file.

    Args:
        connection: A DuckDB.
        files: As `write_typed` wrote them, at least one.
        casts: How each column was read.
    """
    counts = tuple(parquet.read_metadata(file).num_rows for file in files)
    names = [f"c{at} AS {quote(item.role.column)}" for at, item in enumerate(casts)]
    own = [*names, *OURS, f"{place(counts)} AS mlspec_row", "CAST(file_index AS INTEGER) AS mlspec_part"]
    connection.execute(
        f"CREATE VIEW mlspec_typed AS SELECT {', '.join(own)} "
        f"FROM read_parquet({file_list(files)}, hive_partitioning = false)"
    )
    return counts


def place(counts: Sequence[int]) -> str:
    """Return SQL of a row's 0-based place in some Parquet files that are read as one table.

    Args:
        counts: How many rows each of them has.

    Example:
        >>> place([5]), place([5, 2, 9])
        ('file_row_number', 'file_row_number + list_extract([0, 5, 7], CAST(file_index AS BIGINT) + 1)')
    """
    if len(counts) == 1:
        return "file_row_number"
    starts = ", ".join(map(str, accumulate(counts[:-1], initial=0)))
    return f"file_row_number + list_extract([{starts}], CAST(file_index AS BIGINT) + 1)"
