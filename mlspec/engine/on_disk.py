"""Arrays that the system may take out of memory, and rows that are looked at part by part."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PART = 131_072
"""Rows that are looked at in one go: what is made of them on the way takes a few MiB."""


LITTLE = 2**20
"""Bytes up to which an array stays in memory where it may lie on either side."""


def parts(rows: int) -> Iterator[slice]:
    """Yield the places of all rows, part by part.

    Example:
        >>> [(part.start, part.stop) for part in parts(200_000)]
        [(0, 131072), (131072, 200000)]
    """
    for start in range(0, rows, PART):
        yield slice(start, min(start + PART, rows))


def on_disk(folder: Path, shape: tuple[int, ...], kind: Any) -> NDArray[Any]:
    """Return an array in a file that is gone with it; its content is undefined.

    Raises:
        OSError: the disk has no room.
    """
    size = math.prod(shape) * np.dtype(kind).itemsize
    if not size:
        return np.empty(shape, kind)
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        os.posix_fallocate(file.fileno(), 0, size)  # a full disk is told here, not by a signal later
        return np.memmap(file, kind, "r+", shape=shape)


def roomy(folder: Path, shape: tuple[int, ...], kind: Any) -> NDArray[Any]:
    """Return an array on disk, or in memory where it is little; its content is undefined.

    Args:
        folder: Made where absent.
        shape: Of the array.
        kind: Its type.

    Raises:
        OSError: the disk has no room.
    """
    if math.prod(shape) * np.dtype(kind).itemsize <= LITTLE:
        return np.empty(shape, kind)
    folder.mkdir(parents=True, exist_ok=True)
    return on_disk(folder, shape, kind)


def beside(array: NDArray[Any], shape: tuple[int, ...], kind: Any) -> NDArray[Any]:
    """Return an array that lies where another lies: on disk, or in memory; its content is undefined."""
    file = array.filename if isinstance(array, np.memmap) else None
    return np.empty(shape, kind) if file is None else on_disk(Path(file).parent, shape, kind)


def chosen_rows(array: NDArray[Any], chosen: NDArray[np.bool_]) -> NDArray[Any]:
    """Return some rows of an array, beside it."""
    if not isinstance(array, np.memmap):
        return array[chosen]
    found = beside(array, (int(np.count_nonzero(chosen)), *array.shape[1:]), array.dtype)
    done = 0
    for here in parts(len(array)):
        some = array[here][chosen[here]]
        found[done : done + len(some)] = some
        done += len(some)
    return found


def rising(key: Callable[[slice], NDArray[np.float64]], like: NDArray[Any]) -> Iterator[NDArray[np.int64]]:
    """Yield the places of rows by rising keys, part by part; equal keys stay in the order of rows.

    Args:
        key: Returns the keys of a part of the rows.
        like: An array of as many rows; where it lies on disk, the rows are sorted there.

    Example:
        >>> values = np.array([3.0, 1.0, 2.0])
        >>> [part.tolist() for part in rising(lambda here: values[here], values)]
        [[1, 2, 0]]
    """
    rows = len(like)
    if not isinstance(like, np.memmap):
        order = np.argsort(key(slice(0, rows)), kind="stable")
        yield from (order[here] for here in parts(rows))
        return
    # Complex numbers are sorted by their real part, then by the other: in place, and as a stable sort does.
    pairs = beside(like, (rows,), np.complex128)
    for here in parts(rows):
        pairs.real[here] = key(here)
        pairs.imag[here] = np.arange(here.start, here.stop)
    pairs.sort()
    for here in parts(rows):
        yield pairs.imag[here].astype(np.int64)
