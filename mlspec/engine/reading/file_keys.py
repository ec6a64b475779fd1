"""What decides how the rows of a source's single files are read, as hashes and plain data."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import duckdb

import mlspec
from mlspec import registry
from mlspec.engine.parts import key_of
from mlspec.engine.reading.files import files_of, partitions_of
from mlspec.sdk.context import Context
from mlspec.sdk.file_source import FileSource


def contents_of(source: FileSource, fingerprint: Mapping[str, Any], context: Context) -> tuple[str, ...]:
    """Return a hash of what each file holds: of its bytes, and of the values that its folders stand for. A
    file that is called otherwise holds the same.

    Args:
        source: Of local files.
        fingerprint: Its own.
        context: Where relative paths start.
    """
    folders = partitions_of(source, context)
    return tuple(
        key_of([entry["size"], entry["sha256"], folders.values(file)])
        for file, entry in zip(files_of(source, context), fingerprint["files"], strict=True)
    )


def reader_of(source: FileSource) -> list[Any]:
    """Return what reads the files: versions, the plug-in's own code, and its options."""
    code = registry.file("source", source.kind)
    digest = None if code is None else sha256(code.read_bytes()).hexdigest()
    options = source.model_dump(mode="json", exclude={"path"})
    return [mlspec.__version__, duckdb.__version__, digest, options]
