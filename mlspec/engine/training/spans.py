"""Rows of memory-mapped arrays, read as they are wanted and not as the system guesses."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

Span = tuple[int, int]
"""First row, and the row behind the last one."""


def read_spans(array: NDArray[Any], spans: Sequence[Span]) -> NDArray[Any]:
    """Return the rows of some spans, one after the other, in memory.

    Of a file, just these bytes are read: through the mapping, the system would read its read-ahead around
    each span, which may be megabytes.

    Args:
        array: `[rows, ...]`, in memory or memory-mapped.
        spans: Which rows.

    Raises:
        OSError: the file is shorter than it was when it was opened, or cannot be read.

    Example:
        >>> read_spans(np.arange(10), [(1, 3), (8, 10)]).tolist()
        [1, 2, 8, 9]
    """
    if not _is_whole_file(array):
        return np.concatenate([array[start:stop] for start, stop in spans])
    rows = sum(stop - start for start, stop in spans)
    found = np.empty((rows, *array.shape[1:]), array.dtype)
    left: Any = found.reshape(-1).view(np.uint8)
    with _opened(array) as number:
        for offset, length in _bytes(array, spans):
            part, left = left[:length], left[length:]
            while len(part):
                count = os.preadv(number, [part], offset)
                if not count:
                    raise OSError("a file of encoded rows ends before its last row")
                part, offset = part[count:], offset + count
    return found


def read_ahead(array: NDArray[Any], spans: Sequence[Span]) -> None:
    """Ask the system to bring the rows of some spans into its cache while other work goes on.

    They take no memory of this process. Nothing happens where an array is in memory, or where the system
    cannot be asked.
    """
    if not _is_whole_file(array) or not hasattr(os, "posix_fadvise"):
        return
    with _opened(array) as number:
        for offset, length in _bytes(array, spans):
            os.posix_fadvise(number, offset, length, os.POSIX_FADV_WILLNEED)


def _is_whole_file(array: NDArray[Any]) -> bool:
    """Return whether an array is a mapping itself: a part of one does not know where it lies."""
    return (
        isinstance(array, np.memmap)
        and isinstance(array.base, mmap.mmap)
        and array.flags.c_contiguous
        and hasattr(os, "preadv")
    )


@contextmanager
def _opened(array: Any) -> Iterator[int]:
    number = os.open(array.filename, os.O_RDONLY)
    try:
        yield number
    finally:
        os.close(number)


def _bytes(array: Any, spans: Sequence[Span]) -> Iterator[tuple[int, int]]:
    each = array.dtype.itemsize * int(np.prod(array.shape[1:], dtype=np.int64))
    for start, stop in spans:
        yield array.offset + start * each, (stop - start) * each
