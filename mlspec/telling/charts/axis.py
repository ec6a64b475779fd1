"""Where numbers stand in a picture."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """A stretch of numbers laid onto a stretch of the picture."""

    low: float
    high: float
    first: float
    """Place of `low`, in units of the picture."""
    last: float
    """Place of `high`."""

    def place(self, value: float) -> float:
        """Return where a number stands."""
        return round(self.first + (value - self.low) / (self.high - self.low) * (self.last - self.first), 1)

    def ticks(self, wanted: int = 4) -> tuple[float, ...]:
        """Return round numbers on the axis, about as many as wanted.

        Example:
            >>> Axis(0.0, 1.0, 0, 100).ticks()
            (0.0, 0.25, 0.5, 0.75, 1.0)
            >>> Axis(3.0, 58.0, 0, 100).ticks()
            (10.0, 20.0, 30.0, 40.0, 50.0)
        """
        rough = (self.high - self.low) / wanted
        power = 10.0 ** math.floor(math.log10(rough))
        step = min((factor * power for factor in (1, 2, 2.5, 5, 10)), key=lambda step: abs(step - rough))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(float(f"{place * step:.12g}") for place in range(first, last + 1))


def axis(values: Iterable[float], first: float, last: float) -> Axis:
    """Return the axis that holds some numbers, with a little room; a single number stands in its middle.

    Example:
        >>> axis([2.0, 2.0], 0, 100).place(2.0)
        50.0
    """
    known = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(known), max(known)
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-12):
        room = abs(low) / 2 if abs(low) > 1e-9 else 0.5
        return Axis(low - room, high + room, first, last)
    room = (high - low) * 0.03
    return Axis(low - room, high + room, first, last)
