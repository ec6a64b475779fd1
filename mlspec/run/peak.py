"""The most memory that a piece of work took."""

from __future__ import annotations

import contextlib
import threading
from types import TracebackType
from typing import Self

EVERY = 0.5
"""Seconds between two looks: short against a step that matters, and too few looks to slow one down."""


class Peak:
    """Looks at the memory of this process and its children while a block of code runs.

    Resident memory, summed: a page that two processes share counts twice, and a rise that is shorter than the
    time between two looks is missed.

    Example:
        >>> with Peak() as peak:
        ...     rows = bytearray(1000)
        >>> peak.bytes > 0
        True
    """

    def __init__(self) -> None:
        import psutil

        self.bytes = 0
        self._process = psutil.Process()
        self._gone = (psutil.NoSuchProcess, psutil.AccessDenied, OSError)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="mlspec-peak", daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._done.wait(EVERY):
            self._look()

    def _look(self) -> None:
        total = 0
        with contextlib.suppress(*self._gone):
            for process in (self._process, *self._process.children(recursive=True)):
                with contextlib.suppress(*self._gone):
                    total += process.memory_info().rss
        self.bytes = max(self.bytes, total)
