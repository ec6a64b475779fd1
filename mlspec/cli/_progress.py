"""A run as it goes, on stderr: a line for each step, and a live line on a terminal for what takes long."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from mlspec.cli._pace import Pace
from mlspec.run.watch import Watch
from mlspec.telling.figure import duration

if TYPE_CHECKING:
    from rich.text import Text

    from mlspec.plan.plan import Step
    from mlspec.run.report import Outcome

PATIENCE = 2.0
"""Seconds that a step may take before anything is told of it."""
DRAWINGS = 4
"""Drawings a second."""
STYLES = {"ran": "green", "restored": "cyan", "reused": "dim", "failed": "bold red", "interrupted": "yellow"}
INDENT = " " * 17


class Progress(Watch):
    """Draws what happens. Nothing is drawn, and rich is not imported, while all is up to date."""

    def __init__(self) -> None:
        self._live: Any = None
        self._timer: threading.Timer | None = None
        self._step: Step | None = None
        self._began, self._pace, self._got = 0.0, Pace(), ""
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
        self._step, self._began, self._pace, self._got = step, time.monotonic(), Pace(), ""
        self._timer = threading.Timer(PATIENCE, self._late)
        self._timer.daemon = True
        self._timer.start()

    def progressed(self, done: float, total: float | None, unit: str) -> None:
        """Note how far a step is; it is drawn once the step takes long."""
        if self._terminal:
            self._got = self._pace.line(done, total, unit, time.monotonic())

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

        # Drawn by the clock: a step that cannot tell how far it is still shows that it lives.
        self._live = Live(
            console=stderr(), transient=True, refresh_per_second=DRAWINGS, get_renderable=self._drawn
        )
        self._live.start()

    def _drawn(self) -> Text:
        from rich.text import Text

        if self._step is None:
            return Text("")
        worked = duration(time.monotonic() - self._began)
        return Text(f"{self._step.name:<16} {worked:>11}  {self._got}".rstrip())

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
