"""How far a step is, and how long it still takes."""

from __future__ import annotations

from mlspec.telling.figure import duration

BYTES = "bytes"
"""The unit that is told as kB, MB or GB."""


class Pace:
    """Judges by what was done since the first word of it.

    What came before, such as imports or an earlier run that was resumed, tells nothing of its speed.
    """

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None
        self._last: tuple[float, float] | None = None
        self._kind: tuple[float | None, str] | None = None

    def line(self, done: float, total: float | None, unit: str, now: float) -> str:
        """Return how far it is, and how long it takes from here where that can be known.

        Args:
            done: What is done, of the step's whole work.
            total: All of it; None where nobody knows.
            unit: What is counted; behind a comma what is told besides, such as the loss by now.
            now: Seconds of a clock that only goes forward.

        Example:
            >>> pace = Pace()
            >>> pace.line(5000, 10000, "rows", now=30.0), pace.line(6000, 10000, "rows", now=40.0)
            (' 50%  5,000 of 10,000 rows', ' 60%  40 s left  6,000 of 10,000 rows  100/s')
        """
        # A step may count one thing and then another: each has a pace of its own.
        unit, _, besides = unit.partition(", ")
        kind = (total, unit)
        if self._first is None or self._kind != kind or (self._last and done < self._last[1]):
            self._first, self._kind = (now, done), kind
        self._last = (now, done)
        if not total:
            return f"{_count(done, unit)}{self._rate(done, unit, now)}" if done else unit
        seconds = self._left(done, total, now)
        # Before the counts: a narrow terminal cuts the end.
        left = "" if seconds is None else f"{duration(seconds)} left  "
        left += f"{besides}  " if besides else ""
        return f"{min(1.0, done / total):4.0%}  {left}{_of(done, total, unit)}{self._rate(done, unit, now)}"

    def _left(self, done: float, total: float, now: float) -> float | None:
        assert self._first is not None
        began, before = self._first
        if done <= before or now <= began or done >= total:
            return None
        return (now - began) * (total - done) / (done - before)

    def _rate(self, done: float, unit: str, now: float) -> str:
        """Return rows or bytes a second; other things that are counted differ too much in size."""
        assert self._first is not None
        began, before = self._first
        if done <= before or now <= began or not unit.startswith(("rows", BYTES)):
            return ""
        rate = (done - before) / (now - began)
        return f"  {_size(rate)}/s" if unit == BYTES else f"  {rate:,.0f}/s"


def _count(done: float, unit: str) -> str:
    return _size(done) if unit == BYTES else f"{done:,.0f} {unit}"


def _of(done: float, total: float, unit: str) -> str:
    return f"{_size(done)} of {_size(total)}" if unit == BYTES else f"{done:,.0f} of {total:,.0f} {unit}"


def _size(count: float) -> str:
    """Return bytes in the largest unit that leaves a number above one.

    Example:
        >>> _size(999), _size(1_250_000), _size(31_400_000_000)
        ('999 B', '1.2 MB', '31.4 GB')
    """
    for power, unit in ((9, "GB"), (6, "MB"), (3, "kB")):
        if count >= 10**power:
            return f"{count / 10**power:,.1f} {unit}"
    return f"{count:,.0f} B"
