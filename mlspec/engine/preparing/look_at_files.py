"""Files of a source as `prepare` sees them: which hold what, and what was encoded of them before."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ibis
import onnxruntime

from mlspec.engine.preparing.encoded_files import EncodedFiles
from mlspec.engine.reading.file_keys import contents_of, reader_of
from mlspec.engine.reading.files import files_of
from mlspec.engine.reading.reading import Reading
from mlspec.sdk.budget import WIDE
from mlspec.sdk.context import Context
from mlspec.sdk.contract import ModelInputs
from mlspec.sdk.file_source import FileSource
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot

READ = ("features", "target", "weight", "event_time")
"""Of the `data` section: what its columns are read as."""


def look_at_files(
    reading: Reading,
    data: Mapping[str, Any],
    manifest: Mapping[str, Any],
    rows: ibis.Table,
    shape: ModelInputs,
    output: Path,
    context: Context,
) -> EncodedFiles | None:
    """Return the files whose rows are encoded one by one; None where rows are not known by their files.

    Args:
        reading: Of the source.
        data: The `data` section.
        manifest: Of `ingest`.
        rows: With `mlspec_row` and `mlspec_split`, as `mlspec_assigned`.
        shape: Of encoded rows.
        output: Where `features.onnx` and `target.json` lie.
        context: Where the step works, and what it wrote before.
    """
    source = Slot("source").choose(freeze(data["source"]))
    if not isinstance(source, FileSource) or source.keeps:
        return None
    extents = reading.extents or _extents(source, context)
    if extents is None:
        return None
    query = "SELECT mlspec_row, mlspec_split FROM mlspec_assigned"
    made_of = {
        "reader": [*reader_of(source), onnxruntime.__version__],
        "schema": [[field.name, str(field.type)] for field in source.header(context)],
        "types": manifest["columns"],
        "read": {name: data.get(name) for name in READ},
        "fitted": [
            hashlib.sha256((output / name).read_bytes()).hexdigest()
            for name in ("features.onnx", "target.json")
        ],
    }
    return EncodedFiles.of(
        contents_of(source, manifest["fingerprint"], context),
        extents,
        rows.get_backend().con.execute(query).to_arrow_reader(WIDE),
        made_of,
        shape,
        context.before(),
    )


def _extents(source: FileSource, context: Context) -> tuple[int, ...] | None:
    """Return how many rows each of several files has, where files tell."""
    files = files_of(source, context)
    told = [source.rows_of(file) for file in files] if len(files) > 1 else []
    found = tuple(rows for rows in told if rows is not None)
    return found if found and len(found) == len(files) else None
