"""A schedule from a plain function of the step."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch


def cosine(start: float, end: float, share: float) -> float:
    """Return the value a share (fraction 0-1) of the way from start to end along half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def schedule(
    optimizer: torch.optim.Optimizer, factor: Callable[[int], float]
) -> torch.optim.lr_scheduler.LRScheduler:
    """Return a scheduler that multiplies the learning rate by `factor(step)`, step counted from 0."""
    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
