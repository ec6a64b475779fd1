"""A step's reading of its source: of rows that are here, or of rows where they lie."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlspec.engine.reading.as_ingested import as_ingested
from mlspec.engine.reading.kept_rows import of_kept_rows
from mlspec.engine.reading.reading import Reading
from mlspec.sdk.context import Context
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot
from mlspec.sdk.source import Source


def open_reading(
    data: Mapping[str, Any],
    folder: Path,
    manifest: Mapping[str, Any],
    context: Context,
    statistics: Mapping[str, Any] | None = None,
) -> Reading:
    """Return the rows that `ingest` told of, which must be readable; to be closed.

    Questions that are asked of them belong inside `asking`.

    Args:
        data: The `data` section.
        folder: Of `ingest`.
        manifest: Of `ingest`.
        context: Where the step works.
        statistics: Of `ingest`, where the step has them: with them some columns are read with less work.

    Raises:
        StepError: the rows changed meanwhile, or there are none.
        CheckFailed: more rows are unreadable than `data.max_rejects` allows.
    """
    source: Source = Slot("source").choose(freeze(data["source"]))  # type: ignore[assignment]
    if source.computes:
        from mlspec.engine.pushdown.open_rows import open_rows

        snapshot = source.snapshot()
        try:
            snapshot.check(manifest["fingerprint"], context.step)
            return open_rows(data, snapshot).check()
        except BaseException:
            snapshot.close()
            raise
    local = of_kept_rows(data, folder, context)
    # What `ingest` told holds: it is made sure below that it read the same content.
    if manifest["rejected"]:
        reading = Reading.where_it_lies(local, context)
    else:
        columns = statistics["columns"] if statistics else {}
        empty = {name: column["nulls"] for name, column in columns.items()}
        reading = Reading.where_it_lies(local, context, manifest["rows"], empty)
    reading.check()
    as_ingested(data, manifest, context, reading.fingerprint)
    return reading
