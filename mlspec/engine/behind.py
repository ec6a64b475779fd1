"""Work on what was read, while the next of it is read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
AHEAD = 2
"""Pieces that are read and not worked on yet, at most."""


def behind(pieces: Iterable[Item], work: Callable[[Item], None]) -> None:
    """Call `work` with each piece, in their order, in a thread of its own.

    The caller's thread reads: what hears a signal while it reads still does.

    Args:
        pieces: Read one after the other; a few of them are in memory at once.
        work: Its first fault ends the reading.

    Example:
        >>> seen = []
        >>> behind(range(3), seen.append)
        >>> seen
        [0, 1, 2]
    """
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1, "mlspec-behind") as pool:
        try:
            for piece in pieces:
                waiting.append(pool.submit(work, piece))
                if len(waiting) > AHEAD:
                    waiting.popleft().result()
            while waiting:
                waiting.popleft().result()
        finally:
            for task in waiting:
                task.cancel()
