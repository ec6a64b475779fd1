"""What came of one trial of a sweep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Tried:
    """One trial, as the study has it."""

    number: int
    """Counted from 0, in the order in which they were begun."""
    state: Literal["done", "pruned", "failed", "open"]
    """`open`: begun and not ended; the next sweep goes on with it."""
    value: float | None
    """The measure on the val split; of a pruned trial, when it was stopped."""
    values: Mapping[str, Any]
    """What was tried, by the key's name."""
    epochs: int
    seconds: float
    """Of work; of a trial that was interrupted, since it was taken up again."""
    reason: str | None = None
    """Why it failed."""
    curve: tuple[tuple[int, float], ...] = ()
    """The measure after each epoch."""

    def plain(self) -> dict[str, Any]:
        """Return this as JSON data."""
        return {
            "trial": self.number,
            "state": self.state,
            "value": self.value,
            "parameters": dict(self.values),
            "epochs": self.epochs,
            "seconds": round(self.seconds, 3),
            "reason": self.reason,
            "curve": [list(point) for point in self.curve],
        }
