"""A sweep as it goes, and what it came to, on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlspec.cli._progress import Progress
from mlspec.run.sweep import SweepWatch
from mlspec.telling.figure import duration, figure

if TYPE_CHECKING:
    from mlspec.plan.plan import Step
    from mlspec.run.sweep import Swept
    from mlspec.run.tried import Tried

SHOWN = 20
"""Trials that are printed, the best first; the page has them all."""
LONGEST = 100
"""Characters of a trial's reason in the table; the page has the whole of it."""


class SweepProgress(Progress, SweepWatch):
    """Draws a line for each trial, and a live line of how many are done on a terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._sweeping = False

    def trial(self, tried: Tried, metric: str) -> None:
        """Tell what became of a trial."""
        told = tried.reason if tried.reason is not None else f"{metric} {figure(tried.value)}"
        after = f" after epoch {tried.epochs}" if tried.state == "pruned" else ""
        values = ", ".join(
            f"{name.rpartition('.')[2]} {_shown(value)}" for name, value in tried.values.items()
        )
        word = f"trial {tried.number}"
        self._print(f"{word:<16} {tried.state:<8} {duration(tried.seconds):>8}  {told}{after}  {values}")

    def swept(self, ended: int, wanted: int, found: Tried | None) -> None:
        """Draw how far the sweep is."""
        if not self._sweeping:
            self._sweeping = True
            self.started(_SWEEP, ())
        unit = "trials" if found is None else f"trials, best {figure(found.value)} of trial {found.number}"
        if self._terminal:
            self._got = self._pace.line(ended, wanted, unit, _now())


class _Sweep:
    name = "sweep"


_SWEEP: Step = _Sweep()  # type: ignore[assignment]


def _now() -> float:
    import time

    return time.monotonic()


def _shown(value: object) -> str:
    from mlspec.telling.swept import shown

    return shown(value)


def show_trials(swept: Swept) -> None:
    """Print the trials, the best first."""
    from mlspec.cli.console import stdout
    from mlspec.run.study import ranking

    console = stdout()
    names = [one.name for one in swept.dimensions]
    found = ranking(swept.tried, swept.better)
    lines = [("trial", swept.metric, *map(_short, names), "epochs", "took", "")]
    for one in found[:SHOWN]:
        values = (_shown(one.values[name]) if name in one.values else "" for name in names)
        state = (
            "" if one.state == "done" else one.state if one.reason is None else f"failed: {_cut(one.reason)}"
        )
        epochs = str(one.epochs or "")
        lines.append((str(one.number), figure(one.value), *values, epochs, duration(one.seconds), state))
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        console.print("  ".join(cells).rstrip(), style="bold" if line is lines[0] else "")
    if len(found) > SHOWN:
        console.print(f"and {len(found) - SHOWN} more", style="dim")


def _cut(reason: str) -> str:
    return reason if len(reason) <= LONGEST else f"{reason[: LONGEST - 1]}…"


def _short(name: str) -> str:
    return name.rpartition(".")[2]
