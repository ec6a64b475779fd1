"""Rows of a source that may change meanwhile: `ingest` reads them once, and later steps read what it kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import ibis

from mlspec.engine.sql import literal
from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.source import Source

ROWS = "rows.parquet"
"""The file in the folder of `ingest`."""


def keep_rows(source: Source, folder: Path, context: Context) -> dict[str, Any]:
    """Write a source's rows, in its order, and return their fingerprint.

    Args:
        source: A `live` one.
        folder: Where `ROWS` is written.
        context: Where the step works.

    Raises:
        MissingError: the source is not within reach.
        StepError: it cannot be read.
    """
    table = source.read(context)
    connection = table.get_backend().con
    # The same rows give the same bytes.
    connection.execute("SET threads = 1")
    rows = ibis.to_sql(table, dialect="duckdb")
    try:
        connection.execute(
            f"COPY ({rows}) TO {literal(str(folder / ROWS))} (FORMAT parquet, COMPRESSION zstd)"
        )
    except duckdb.Error as error:
        told = str(error).strip().splitlines()[0]
        raise StepError(
            f"the rows of the {source.kind} source cannot be kept: {told}", where="data.source"
        ) from error
    return source.taken(table)


def of_kept_rows(data: Mapping[str, Any], folder: Path, context: Context) -> Mapping[str, Any]:
    """Return the `data` section with the rows that `ingest` kept for its source; itself where it kept none.

    Args:
        data: The `data` section.
        folder: Of `ingest`.
        context: Where relative paths start.
    """
    if not (folder / ROWS).is_file():
        return data
    path = Path(os.path.relpath(folder / ROWS, context.workspace)).as_posix()
    return {**data, "source": {"kind": "parquet", "path": path, "hive": False}}
