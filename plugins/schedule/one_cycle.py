"""Up to the full learning rate and far below where it began."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field

from mlspec.sdk.training import Schedule

if TYPE_CHECKING:
    import torch


class OneCycle(Schedule):
    """The rate rises along half a cosine to the optimizer's `lr`, then falls along one to almost nothing.

    Source: Smith and Topin, Super-Convergence (2019), section 3, with cosines in place of straight lines.
    """

    warm_up: float = Field(default=0.3, ge=0, lt=1)
    """Share (fraction 0-1) of all steps in which the rate rises."""
    start: float = Field(default=0.04, gt=0, le=1)
    """The first rate as a share (fraction 0-1) of the full one."""
    end: float = Field(default=4e-6, ge=0, le=1)
    """The last rate as a share (fraction 0-1) of the full one."""

    def build(self, optimizer: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
        """Return the scheduler."""
        from ._factor import cosine, schedule

        peak = self.warm_up * steps - 1
        last = steps - 1

        def factor(step: int) -> float:
            if step <= peak:
                return cosine(self.start, 1.0, step / peak) if peak > 0 else 1.0
            begin = max(peak, 0.0)
            return cosine(1.0, self.end, min(1.0, (step - begin) / (last - begin)) if last > begin else 1.0)

        return schedule(optimizer, factor)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return the usual one and one without a rise."""
        return cls.revive({}), cls.revive({"warm_up": 0.0})
