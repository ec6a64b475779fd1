"""SIGTERM as a way to stop that cleans up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from mlspec.errors import Terminated


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM stop the work inside as Ctrl-C does; outside the main thread nothing changes.

    Raises:
        Terminated: the signal came.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated
