"""From a source's path to the files it means."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlspec.errors import MissingError, StepError
from mlspec.sdk.context import Context

MAGIC = frozenset("*?[")


def is_glob(path: str) -> bool:
    """Return whether a path stands for many files."""
    return any(sign in path for sign in MAGIC)


def places(path: str, context: Context) -> tuple[Path, ...]:
    """Return the local files that a path or a glob means, in the order of their names.

    Raises:
        MissingError: there is no such file.
        StepError: a URL, or a folder.
    """
    if "://" in path:
        raise StepError(
            f"'{path}' is a URL, and this source reads local files only: not available yet",
            fix="copy it here first",
        )
    resolved = context.resolve(path)
    if is_glob(path):
        found = tuple(sorted(file for file in _matches(resolved) if file.is_file()))
        if not found:
            raise MissingError(f"no file matches '{path}'", where="data.source.path")
        return found
    file = Path(resolved)
    if file.is_dir():
        raise StepError(
            f"'{path}' is a folder", where="data.source.path", fix=f"name its files: {path.rstrip('/')}/*"
        )
    if not file.is_file():
        raise MissingError(
            f"there is no file '{path}'",
            where="data.source.path",
            fix="check the path; it starts at the spec's folder",
        )
    return (file,)


def _matches(pattern: str) -> Iterator[Path]:
    parts = Path(pattern).parts
    fixed = next(place for place, part in enumerate(parts) if is_glob(part))
    yield from Path(*parts[:fixed]).glob(str(Path(*parts[fixed:])))


def name_of(file: Path, context: Context) -> str:
    """Return a file as an output may name it: below the workspace, or only its name."""
    try:
        return file.relative_to(context.workspace).as_posix()
    except ValueError:
        return file.name


def fingerprint_of(files: tuple[Path, ...], context: Context) -> dict[str, Any]:
    """Return names, sizes in bytes and SHA-256 of files."""
    entries = []
    for file in files:
        with open(file, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        entries.append({"name": name_of(file, context), "size": file.stat().st_size, "sha256": digest})
    return {"files": entries}
