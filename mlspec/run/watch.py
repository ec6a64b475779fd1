"""Who looks on while a plan runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlspec.plan.plan import Step

if TYPE_CHECKING:
    from mlspec.run.report import Outcome


class Watch:
    """Told what happens; says nothing itself."""

    def started(self, step: Step, reasons: tuple[str, ...]) -> None:
        """A step begins its work."""

    def progressed(self, done: float, total: float | None, unit: str) -> None:
        """The step that works got on."""

    def finished(self, outcome: Outcome) -> None:
        """A step is done, or was found done."""

    def said(self, line: str) -> None:
        """A line that the user should read."""


class Noting(Watch):
    """Tells another watch everything, and keeps the lines that were said."""

    def __init__(self, other: Watch) -> None:
        self.lines: list[str] = []
        self._other = other

    def started(self, step: Step, reasons: tuple[str, ...]) -> None:
        """Pass on."""
        self._other.started(step, reasons)

    def progressed(self, done: float, total: float | None, unit: str) -> None:
        """Pass on."""
        self._other.progressed(done, total, unit)

    def finished(self, outcome: Outcome) -> None:
        """Pass on."""
        self._other.finished(outcome)

    def said(self, line: str) -> None:
        """Keep and pass on."""
        self.lines.append(line)
        self._other.said(line)
