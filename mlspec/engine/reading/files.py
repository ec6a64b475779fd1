"""The files of a source, and the columns that their folders are."""

from __future__ import annotations

import os
import posixpath
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlspec.engine.reading.partitions import Partitions, partitions
from mlspec.engine.reading.places import fingerprint_of, name_of, places, root_of
from mlspec.engine.reading.remote import remote_places, remote_rest
from mlspec.engine.reading.unpacked import check_whole, unpacked
from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.file_source import FileSource
from mlspec.sdk.source import Extent

if TYPE_CHECKING:
    import ibis

PACKED = 5
"""Bytes of text that a byte of a packed file stands for, about."""
HEAD = 65_536
"""Bytes of text whose lines are counted."""


def files_of(source: FileSource, context: Context) -> tuple[Any, ...]:
    """Return a source's files, a `Path` or a `Remote` each, in the order in which they are read.

    Raises:
        MissingError: there is none, or they are not within reach.
    """
    if "://" in source.path:
        return remote_places(source.path, source.suffixes)
    return places(source.path, context, source.suffixes)


def fetched(source: FileSource, folder: Path, context: Context, enough: float = float("inf")) -> FileSource:
    """Return a source of a URL that reads copies of its files here.

    Args:
        source: Whose path is a URL.
        folder: Where the copies are written.
        context: Where relative paths start.
        enough: Bytes behind which no other file is brought.

    Raises:
        MissingError: the files are not within reach.
        StepError: one became another meanwhile, or its name leads out of the folder.
    """
    root = root_of(source.path, context)
    for file in files_of(source, context):
        below = file.relative_to(root)
        if ".." in below.parts:
            # A bucket's keys may be any text; joined to a folder, this one would lie outside of it.
            what = f"'{below}' behind '{source.path}' has a name that leads out of its folder"
            raise StepError(
                what, where="data.source.path", fix="rename it there, or name the others by a glob"
            )
        file.fetch(folder / below)
        enough -= (folder / below).stat().st_size
        if enough <= 0:
            break
    return source.model_copy(update={"path": path_of_copies(source.path, folder, context)})


def path_of_copies(url: str, folder: Path, context: Context) -> str:
    """Return the path by which copies of the files of a URL are read, from the workspace."""
    here = Path(os.path.relpath(folder, context.workspace)).as_posix()
    return posixpath.join(here, remote_rest(url)).rstrip("/")


def here(source: FileSource, context: Context, enough: float = float("inf")) -> FileSource:
    """Return a source that reads files here: itself, or one of copies in the step's scratch folder.

    Args:
        source: The source.
        context: Where relative paths start.
        enough: Bytes behind which no other file is brought.
    """
    if "://" not in source.path:
        return source
    context.scratch.mkdir(parents=True, exist_ok=True)
    return fetched(source, Path(tempfile.mkdtemp(prefix="remote-", dir=context.scratch)), context, enough)


def all_rows(source: FileSource, context: Context) -> ibis.Table:
    """Return the rows of all of a source's files, here or behind a URL, as its `read_files` gives them."""
    local = here(source, context)
    files = files_of(local, context)
    check_files(local, files, context)
    found = local.read_files(files, context, named=False)
    assert found is not None
    return found


def check_files(source: FileSource, files: Sequence[Path], context: Context) -> None:
    """Refuse compressed files that are not whole; to be asked before all of their rows are read.

    Args:
        source: Of local files.
        files: Some of them.
        context: Where relative paths start.

    Raises:
        StepError: one breaks off, or its checksum is wrong.
    """
    root = root_of(source.path, context)
    for file in files:
        check_whole(file, name_of(file, context, root))


def partitions_of(source: FileSource, context: Context) -> Partitions:
    """Return the columns that a source's folders are.

    Raises:
        MissingError: there is no file.
        StepError: folders look like columns, and nothing is said; or they disagree.
    """
    return partitions(source.path, source.hive, files_of(source, context), context)


def fingerprint_of_files(source: FileSource, context: Context) -> dict[str, Any]:
    """Return names, sizes in bytes and SHA-256 (or a server's own mark) of a source's files."""
    if "://" in source.path:
        root = root_of(source.path, context)
        found = files_of(source, context)
        return {"files": [{"name": name_of(file, context, root), **file.mark()} for file in found]}
    return fingerprint_of(files_of(source, context), context, source.path)


def extent_of_files(source: FileSource, context: Context) -> Extent | None:
    """Return the sizes of a source's files, and of text about how many lines they have, as its beginning
    tells; None for a URL.

    Raises:
        MissingError: there is no file.
        StepError: the first of them is damaged.
    """
    if "://" in source.path:
        return None
    found, files = 0, files_of(source, context)
    for file in files:
        found += file.stat().st_size * (PACKED if file.suffix in (".gz", ".zst") else 1)
    if not source.parsed:
        return Extent(None, found)
    with unpacked(files[0], files[0].name) as stream:
        head = stream.read(HEAD)
    return Extent(None, found, found * head.count(b"\n") // len(head) if head else 0)
