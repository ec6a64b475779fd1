"""When to stop, and which epoch was the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Patience:
    """What early stopping has seen so far."""

    better: Literal["higher", "lower"]
    patience: int
    """Epochs without a better value before training stops."""
    value: float | None = None
    """The best value."""
    epoch: int = 0
    """1-based epoch of the best value; 0 before the first."""
    seen: int = 0
    """Epochs seen."""

    def after(self, value: float) -> Patience:
        """Return what is known after one more epoch."""
        seen = self.seen + 1
        if self.value is None or (value > self.value if self.better == "higher" else value < self.value):
            return Patience(self.better, self.patience, value, seen, seen)
        return Patience(self.better, self.patience, self.value, self.epoch, seen)

    @property
    def best_now(self) -> bool:
        """Return whether the last epoch was the best."""
        return self.seen == self.epoch

    @property
    def over(self) -> bool:
        """Return whether it is time to stop."""
        return self.seen - self.epoch >= self.patience
