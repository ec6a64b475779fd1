"""What every optimizer must do."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from mlspec.sdk.training import Optimizer
from mlspec.testing.check import Check, hold


def weights() -> list[torch.nn.Parameter]:
    """Return made-up weights: a matrix, a vector and a number."""
    generator = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in [(5, 3), (3,), ()]]


def steps(optimizer: torch.optim.Optimizer, moved: list[torch.nn.Parameter], count: int) -> None:
    """Move weights towards one."""
    for _ in range(count):
        optimizer.zero_grad()
        torch.stack([((weight - 1) ** 2).sum() for weight in moved]).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def _goes_downhill(optimizer: Optimizer, folder: Path) -> None:
    moved = weights()
    before = [weight.detach().clone() for weight in moved]
    steps(optimizer.build(moved), moved, 20)
    for old, new in zip(before, moved, strict=True):
        left, was = ((new - 1) ** 2).sum().item(), ((old - 1) ** 2).sum().item()
        hold(left < was, f"20 steps take a weight's error from {was:.3g} to {left:.3g}")


def _has_its_rate(optimizer: Optimizer, folder: Path) -> None:
    for group in optimizer.build(weights()).param_groups:
        hold(group["lr"] == optimizer.lr, f"its rate is {group['lr']}, and its option `lr` is {optimizer.lr}")


def _can_be_saved(optimizer: Optimizer, folder: Path) -> None:
    moved = weights()
    made = optimizer.build(moved)
    steps(made, moved, 2)
    json.dumps(made.state_dict(), default=lambda value: value.tolist())


CHECKS = (
    Check("goes downhill", "look at the sign, and at the default rate", _goes_downhill),
    Check("moves at the rate of its option", "give `lr` on to each group of weights", _has_its_rate),
    Check(
        "can stand in a checkpoint",
        "keep tensors, numbers and texts in `state`, and no objects",
        _can_be_saved,
    ),
)
