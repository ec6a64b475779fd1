"""Memory that a step is done with."""

from __future__ import annotations

import ctypes
import gc
import sys


def give_back() -> None:
    """Let go of what nothing refers to any more, and return free memory to the system.

    glibc keeps what was freed, between pieces that still live: a step would begin with what the one before it
    held at most.
    """
    gc.collect()
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
    if trim is not None:
        trim(0)
