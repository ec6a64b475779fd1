"""How a torch model's weights move."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from mlspec.sdk.plugin import Plugin

if TYPE_CHECKING:
    import torch


class Optimizer(Plugin):
    """A rule that turns gradients into steps."""

    slot: ClassVar[str] = "optimizer"

    lr: float
    """Learning rate."""

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """Return the optimiser over a module's parameters."""
        raise NotImplementedError


class Schedule(Plugin):
    """How the learning rate changes from step to step."""

    slot: ClassVar[str] = "schedule"

    def build(self, optimizer: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
        """Return the scheduler, advanced once an optimiser step; the whole training has `steps` of them."""
        raise NotImplementedError
