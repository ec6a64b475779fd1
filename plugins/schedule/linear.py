"""Down in a straight line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field

from mlspec.sdk.training import Schedule

if TYPE_CHECKING:
    import torch


class Linear(Schedule):
    """The learning rate rises in a straight line, then falls in one."""

    warm_up: float = Field(default=0.0, ge=0, lt=1)
    """Share (fraction 0-1) of all steps in which the rate rises from nearly zero to its full value."""
    end: float = Field(default=0.0, ge=0, le=1)
    """The last rate as a share (fraction 0-1) of the full one; 1 keeps it constant after the warm-up."""

    def build(self, optimizer: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
        """Return the scheduler."""
        from ._factor import schedule

        warm = int(self.warm_up * steps)

        def factor(step: int) -> float:
            if step < warm:
                return (step + 1) / (warm + 1)
            return 1.0 + (self.end - 1.0) * min(1.0, (step - warm) / (steps - warm))

        return schedule(optimizer, factor)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return it with and without a warm-up."""
        return cls.revive({}), cls.revive({"warm_up": 0.2, "end": 1.0})
