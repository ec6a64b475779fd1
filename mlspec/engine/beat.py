"""A look at some work, now and then, while it goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PAUSE = 0.25
"""Seconds between two looks."""


@contextmanager
def beat(look: Callable[[], bool | None]) -> Iterator[None]:
    """Call `look` in a thread of its own until what runs inside is done.

    Args:
        look: Reads how far the work is, and tells it; False ends the looking.
    """
    done = threading.Event()

    def run() -> None:
        while not done.wait(PAUSE):
            if look() is False:
                return

    looking = threading.Thread(target=run, daemon=True)
    looking.start()
    try:
        yield
    finally:
        done.set()
        looking.join()
