"""How far a count of rows got, as one live line on a terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self

PATIENCE = 2.0
"""Seconds before anything is drawn."""
PAUSE = 0.1
"""Seconds between two drawings."""


class Count:
    """Draws nothing where stderr is no terminal, or where the work is soon done."""

    def __init__(self) -> None:
        self._live: Any = None
        self._began = self._drawn = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def progressed(self, done: float, total: float | None, unit: str) -> None:
        """Draw the count and its rate."""
        now = time.monotonic()
        if not self._terminal or now - self._began < PATIENCE or now - self._drawn < PAUSE:
            return
        self._drawn = now
        if self._live is None:
            from rich.live import Live

            from mlspec.cli.console import stderr

            self._live = Live(console=stderr(), transient=True, auto_refresh=False)
            self._live.start()
        self._live.update(f"{done:,.0f} {unit}  {done / (now - self._began):,.0f}/s", refresh=True)
