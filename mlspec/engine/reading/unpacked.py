"""Text files as they are, or compressed (`.gz`, `.zst`)."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mlspec.errors import StepError

if TYPE_CHECKING:
    from mlspec.engine.reading.remote import Remote

BLOCK = 2**20
"""Bytes that are unpacked at once."""


@contextmanager
def unpacked(file: Path | Remote, name: str) -> Iterator[IO[bytes]]:
    """Open a file's bytes, unpacked as its name says.

    Raises:
        StepError: what is read of it is damaged.
    """
    try:
        # Not every driver's file gives a part of a line.
        with _opened(file) as stream, io.BufferedReader(stream) as buffered:
            yield buffered
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise _damaged(name) from error
    except OSError as error:
        if file.suffix.lower() != ".zst":
            raise
        raise _damaged(name) from error


def check_whole(file: Path, name: str) -> None:
    """Refuse a compressed file that breaks off or whose checksum is wrong: DuckDB would read what is left.

    Raises:
        StepError: it is damaged.
    """
    if file.suffix.lower() in (".gz", ".zst"):
        with unpacked(file, name) as stream:
            while stream.read(BLOCK):
                pass


@contextmanager
def _opened(file: Path | Remote) -> Iterator[Any]:
    with file.open("rb") as stream:
        if file.suffix.lower() == ".gz":
            with gzip.open(stream, "rb") as inside:
                yield inside
        elif file.suffix.lower() == ".zst":
            # Not at the top: only such a file needs it, and it is heavy.
            import pyarrow as pa

            with pa.CompressedInputStream(stream, "zstd") as inside:
                yield inside
        else:
            yield stream


def _damaged(name: str) -> StepError:
    return StepError(
        f"'{name}' is no whole compressed file: it breaks off, or its checksum is wrong",
        where="data.source.path",
        fix="copy it here again",
    )
