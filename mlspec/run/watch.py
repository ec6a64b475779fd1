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
