"""Where the time of a training goes: at any moment one part of the work is counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager


class Clock:
    """Counts the seconds of each part, one at a time, from the first turn on.

    Args:
        settle: Called before each look at the clock: waits until the device has done what it was given.
        mark: Gives what marks a part in a trace, where one is made.

    Example:
        >>> clock = Clock()
        >>> clock.turn("reading")
        >>> clock.turn("forward")
        >>> clock.stop()
        >>> list(clock.seconds), clock.times["forward"]
        (['reading', 'forward'], 1)
    """

    def __init__(
        self,
        settle: Callable[[], None] = lambda: None,
        mark: Callable[[str], AbstractContextManager[object]] | None = None,
    ) -> None:
        self.seconds: dict[str, float] = {}
        """Of each part, in the order in which they first came."""
        self.times: dict[str, int] = {}
        """How often each part began."""
        self._settle, self._mark = settle, mark
        self._part: str | None = None
        self._since = 0.0
        self._open: AbstractContextManager[object] | None = None

    def turn(self, part: str) -> None:
        """Count a part from now on, and no longer the one before."""
        if part == self._part:
            return
        self.stop()
        self._part = part
        self.seconds.setdefault(part, 0.0)
        self.times[part] = self.times.get(part, 0) + 1
        if self._mark is not None:
            self._open = self._mark(part)
            self._open.__enter__()
        self._since = time.perf_counter()

    def stop(self) -> None:
        """Count nothing from now on."""
        if self._part is None:
            return
        self._settle()
        self.seconds[self._part] += time.perf_counter() - self._since
        if self._open is not None:
            self._open.__exit__(None, None, None)
        self._part = self._open = None
