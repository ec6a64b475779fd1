"""What decides how the rows of single files are encoded, as plain data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import onnxruntime

import mlspec
from mlspec import registry
from mlspec.engine.parts import key_of
from mlspec.engine.reading.files import files_of, partitions_of
from mlspec.sdk.context import Context
from mlspec.sdk.file_source import FileSource

READ = ("features", "target", "weight", "event_time")
"""Of the `data` section: what its columns are read as."""


def contents_of(source: FileSource, manifest: Mapping[str, Any], context: Context) -> tuple[str, ...]:
    """Return a hash of what each file holds: of its bytes, and of the values that its folders stand for.

    Args:
        source: Of local files.
        manifest: Of `ingest`.
        context: Where relative paths start.
    """
    folders = partitions_of(source, context)
    return tuple(
        key_of([entry["size"], entry["sha256"], folders.values(file)])
        for file, entry in zip(files_of(source, context), manifest["fingerprint"]["files"], strict=True)
    )


def made_of(
    source: FileSource,
    data: Mapping[str, Any],
    manifest: Mapping[str, Any],
    output: Path,
    context: Context,
) -> dict[str, Any]:
    """Return what decides, beside a file's content, how its rows are encoded.

    Args:
        source: Of local files.
        data: The `data` section.
        manifest: Of `ingest`.
        output: Where `features.onnx` and `target.json` lie.
        context: Where relative paths start.
    """
    code = registry.file("source", source.kind)
    return {
        "versions": [mlspec.__version__, duckdb.__version__, onnxruntime.__version__],
        "source": source.model_dump(mode="json", exclude={"path"}),
        "code": None if code is None else _digest(code),
        "schema": [[field.name, str(field.type)] for field in source.header(context)],
        "types": manifest["columns"],
        "read": {name: data.get(name) for name in READ},
        "fitted": [_digest(output / name) for name in ("features.onnx", "target.json")],
    }


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
