"""Rows of a source that may change meanwhile: `ingest` reads them once, and later steps read what it kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import ibis

from mlspec.engine.pulse import pulse
from mlspec.engine.reading.files import fetched, path_of_copies
from mlspec.engine.reading.query_rows import source_of
from mlspec.engine.sql import literal
from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.file_source import FileSource
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot
from mlspec.sdk.source import Source


def keep_rows(source: Source, folder: Path, context: Context) -> dict[str, Any]:
    """Write what `source.keeps` names, and return the fingerprint of that very content.

    Args:
        source: One that keeps something.
        folder: Of `ingest`.
        context: Where the step works.

    Raises:
        MissingError: the source is not within reach.
        StepError: it cannot be read.
    """
    far = _far(source, folder / str(source.keeps), context)
    if far:
        before = source.fingerprint(context)
        for place, one in far.items():
            fetched(one, place, context)
        if source.fingerprint(context) != before:
            named = ", ".join(f"'{one.path}'" for one in far.values())
            raise StepError(
                f"the files of {named} changed while they were read", where="data.source", fix="run again"
            )
        return before
    table = source.read(context)
    connection = table.get_backend().con
    # The same rows give the same bytes.
    connection.execute("SET threads = 1")
    rows, file = ibis.to_sql(table, dialect="duckdb"), literal(str(folder / str(source.keeps)))
    try:
        with pulse(connection, context, None, "rows"):
            connection.execute(f"COPY ({rows}) TO {file} (FORMAT parquet, COMPRESSION zstd)")
    except duckdb.Error as error:
        told = str(error).strip().splitlines()[0]
        raise StepError(
            f"the rows of the {source.kind} source cannot be kept: {told}", where="data.source"
        ) from error
    return source.taken(table)


def of_kept_rows(data: Mapping[str, Any], folder: Path, context: Context) -> Mapping[str, Any]:
    """Return the `data` section with what `ingest` kept for its source; itself where it kept nothing.

    Args:
        data: The `data` section.
        folder: Of `ingest`.
        context: Where relative paths start.
    """
    source: Source = Slot("source").choose(freeze(data["source"]))  # type: ignore[assignment]
    if source.keeps is None:
        return data
    if isinstance(source, FileSource):
        path = path_of_copies(source.path, folder / source.keeps, context)
        return {**data, "source": {**data["source"], "path": path}}
    files = getattr(source, "files", None)
    if files is not None:
        here = {
            name: path_of_copies(path, folder / source.keeps / name, context) if "://" in path else path
            for name, path in files.items()
        }
        return {**data, "source": {**data["source"], "files": here}}
    path = Path(os.path.relpath(folder / source.keeps, context.workspace)).as_posix()
    return {**data, "source": {"kind": "parquet", "path": path, "hive": False}}


def _far(source: Source, folder: Path, context: Context) -> dict[Path, FileSource]:
    """Return where the files behind URLs are kept, and what reads them; nothing for a database."""
    if isinstance(source, FileSource):
        return {folder: source}
    files = getattr(source, "files", None) or {}
    return {folder / name: source_of(name, path, context) for name, path in files.items() if "://" in path}
