"""What a loss is multiplied by in fp16, as DeepSpeed asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

FIRST = 2.0**16
GROWTH = 2.0
EVERY = 2_000
"""Steps in a row that are taken before the scale is doubled."""


class LossScale:
    """The scale of torch's `GradScaler`, step by step, in the place of DeepSpeed's loss scaler.

    DeepSpeed looks for gradients that overflowed, in all processes alike, and leaves the step out. Its own
    scalers are not taken: the one for autocast looks at this process's part of the gradients alone, and
    shortens gradients before they have their own length again; the other one doubles the scale before it
    has divided by it.
    """

    dynamic = True

    def __init__(self) -> None:
        self.cur_scale = FIRST
        self._taken = 0

    @property
    def loss_scale(self) -> float:
        """The scale, under the other name that DeepSpeed has for it."""
        return self.cur_scale

    def scale_loss(self, loss: torch.Tensor) -> torch.Tensor:
        """Return a loss as gradients are made of it."""
        return loss * self.cur_scale

    def update_scale(self, overflow: bool) -> None:
        """Change nothing: gradients are divided by the scale behind this."""

    def after(self, overflowed: bool) -> None:
        """Take the next scale, once a step was taken or left out."""
        if overflowed:
            self.cur_scale, self._taken = self.cur_scale / GROWTH, 0
            return
        self._taken += 1
        if self._taken == EVERY:
            self.cur_scale, self._taken = self.cur_scale * GROWTH, 0

    def state(self) -> dict[str, Any]:
        """Return the state as torch's `GradScaler` has it."""
        return {
            "scale": self.cur_scale,
            "growth_factor": GROWTH,
            "backoff_factor": 1 / GROWTH,
            "growth_interval": EVERY,
            "_growth_tracker": self._taken,
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from a state, of torch's `GradScaler` as well."""
        self.cur_scale, self._taken = float(state["scale"]), int(state["_growth_tracker"])
