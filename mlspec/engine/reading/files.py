"""The files of a source, and the columns that their folders are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlspec.engine.reading.partitions import Partitions, partitions
from mlspec.engine.reading.places import fingerprint_of, places
from mlspec.sdk.context import Context
from mlspec.sdk.file_source import FileSource


def files_of(source: FileSource, context: Context) -> tuple[Path, ...]:
    """Return a source's files, in the order in which they are read.

    Raises:
        MissingError: there is none.
    """
    return places(source.path, context, source.suffixes)


def partitions_of(source: FileSource, context: Context) -> Partitions:
    """Return the columns that a source's folders are.

    Raises:
        MissingError: there is no file.
        StepError: folders look like columns, and nothing is said; or they disagree.
    """
    return partitions(source.path, source.hive, files_of(source, context), context)


def fingerprint_of_files(source: FileSource, context: Context) -> dict[str, Any]:
    """Return names, sizes in bytes and SHA-256 of a source's files."""
    return fingerprint_of(files_of(source, context), context, source.path)
