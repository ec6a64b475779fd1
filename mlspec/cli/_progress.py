"""A run as it goes, on stderr: a line for each step, and a live line on a terminal for what takes long."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from mlspec.run.watch import Watch

if TYPE_CHECKING:
    from mlspec.plan.plan import Step
    from mlspec.run.report import Outcome

PATIENCE = 2.0
"""Seconds that a step may take before anything is told of it."""
PAUSE = 0.1
"""Seconds between two drawings."""
STYLES = {"ran": "green", "restored": "cyan", "reused": "dim", "failed": "bold red", "interrupted": "yellow"}
INDENT = " " * 17


class Progress(Watch):
    """Draws what happens. Nothing is drawn, and rich is not imported, while all is up to date."""

    def __init__(self) -> None:
        self._live: Any = None
        self._timer: threading.Timer | None = None
        self._step: Step | None = None
        self._began = self._drawn = 0.0
        self._terminal = sys.stderr.isatty()
        self.failed: str | None = None
        """The step that failed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def started(self, step: Step, reasons: tuple[str, ...]) -> None:
        """Wait a little before telling that a step works: most are done by then."""
        self._step, self._began, self._drawn = step, time.monotonic(), 0.0
        self._timer = threading.Timer(PATIENCE, self._late)
        self._timer.daemon = True
        self._timer.start()

    def progressed(self, done: float, total: float | None, unit: str) -> None:
        """Draw how far a step is, once it takes long."""
        now = time.monotonic()
        if self._live is None or now - self._drawn < PAUSE:
            return
        self._drawn = now
        share = f"{min(1.0, done / total):4.0%}  " if total else ""
        of = f" of {total:,.0f}" if total else ""
        left = (
            f"  {(now - self._began) * (total - done) / done:,.0f} s left"
            if total and 0 < done < total
            else ""
        )
        self._draw(f"{share}{done:,.0f}{of} {unit}{left}")

    def finished(self, outcome: Outcome) -> None:
        """Tell what became of a step, unless it was found done."""
        self._stop()
        if outcome.done == "failed":
            self.failed = outcome.step
        if outcome.done == "reused" and not outcome.reasons:
            return
        seconds = f"{outcome.seconds:6.1f} s  " if outcome.done != "reused" else " " * 10
        first, *more = outcome.reasons or ("",)
        self._line(outcome.step, outcome.done, f"{seconds}{first}")
        for reason in more[:5]:
            self._print(f"{INDENT}{'':<20}{reason}")
        if len(more) > 5:
            self._print(f"{INDENT}{'':<20}and {len(more) - 5} more")

    def said(self, line: str) -> None:
        """Print a line that the user should read."""
        self._print(f"{INDENT}{line}")

    def _late(self) -> None:
        if self._step is None:
            return
        if not self._terminal:
            self._print(f"{self._step.name:<16} works")
            return
        from rich.live import Live

        from mlspec.cli.console import stderr

        self._live = Live(console=stderr(), transient=True, auto_refresh=False)
        self._live.start()
        self._draw("")

    def _draw(self, text: str) -> None:
        from rich.text import Text

        if self._live is not None and self._step is not None:
            self._live.update(Text(f"{self._step.name:<16} {text}"), refresh=True)

    def _line(self, name: str, word: str, text: str) -> None:
        from mlspec.cli.console import stderr

        console = stderr()
        console.print(f"{name:<16} ", style="bold", end="")
        console.print(f"{word:<8} ", style=STYLES[word], end="")
        console.print(text)

    def _print(self, text: str) -> None:
        from mlspec.cli.console import stderr

        stderr().print(text)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        live, self._live, self._timer, self._step = self._live, None, None, None
        if live is not None:
            live.stop()
