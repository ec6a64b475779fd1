"""Memory that a step is done with."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LITTLE = 64 * 2**20
"""Bytes that a step may leave behind: to look for what holds more costs up to half a second."""


@contextmanager
def giving_back() -> Iterator[None]:
    """Return the memory of the work inside to the system.

    glibc and Arrow keep what was freed, between pieces that still live: a step would begin with what the one
    before it held at most. Who interrupts waits for no tidying.
    """
    before = _held()
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException:
        _give_back(before)
        raise
    _give_back(before)


def _give_back(before: int) -> None:
    _trim()
    if _held() - before < LITTLE:
        return
    gc.collect()
    _trim()


def _trim() -> None:
    """Let the allocators that are here give back what they keep of what was freed; it takes no time."""
    arrow = sys.modules.get("pyarrow")
    if arrow is not None:
        arrow.default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim is not None:
            trim(0)


def _held() -> int:
    """Return the bytes that this process holds for itself; 0 where the system does not tell."""
    try:
        _, resident, shared, *_ = Path("/proc/self/statm").read_text().split()
    except OSError:
        return 0
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")
