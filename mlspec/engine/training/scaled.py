"""Steps whose gradients were made in fp16, where small ones vanish and large ones overflow."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch.distributed.tensor import DTensor

from mlspec.engine.training.group import Group
from mlspec.errors import StepError

LEAST = 1.0
"""Scale below which gradients overflow by themselves, and not by what they are multiplied with."""


class Scaled:
    """Multiplies a loss so that its gradients do not vanish, and leaves out steps where they overflow.

    A step that is left out halves the scale; 2,000 steps in a row that are taken double it. All processes
    leave out the same steps.

    Source: Micikevicius et al., "Mixed Precision Training", 2018, section 3.2, by torch's `GradScaler`.

    Args:
        optimizer: What moves the weights.
        device: What training runs on.
        group: This process's place among those that train.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, device: torch.device, group: Group) -> None:
        self._optimizer, self._group = optimizer, group
        self._scaler = torch.amp.GradScaler(device.type)
        self._overflowed, self._skipped = False, 0

    def loss(self, value: torch.Tensor) -> torch.Tensor:
        """Return a loss as gradients are made of it."""
        scaled: torch.Tensor = self._scaler.scale(value)
        return scaled

    def unscale(self) -> None:
        """Bring gradients back to their own length, and see whether one overflowed in any process."""
        weights = [weight for group in self._optimizer.param_groups for weight in group["params"]]
        # torch's scaler takes no whole gradients and parted ones at once: it sees this process's parts.
        owner: Any = _parts(weights) if any(isinstance(one, DTensor) for one in weights) else self._optimizer
        self._scaler.unscale_(owner)
        (found,) = self._scaler._found_inf_per_device(owner).values()
        if self._group.ranks > 1:
            torch.distributed.all_reduce(found, torch.distributed.ReduceOp.MAX)
        self._overflowed = bool(found.item())

    def step(self) -> bool:
        """Move the weights unless a gradient overflowed, and return whether that was done.

        The optimiser is not left to find out by itself: torch's fused SGD has a momentum without content
        behind a first step that it left out.
        """
        if self._overflowed:
            self._skipped += 1
        else:
            self._optimizer.step()
        self._scaler.update()
        return not self._overflowed

    def skipped(self) -> int:
        """Return the steps that were left out since this was last asked.

        Raises:
            StepError: no scale is small enough for the gradients.
        """
        count, self._skipped = self._skipped, 0
        if count:
            check_scale(self._scaler.get_scale())
        return count

    def state(self) -> dict[str, Any]:
        """Return the scale and what decides over its next value."""
        return self._scaler.state_dict()

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._scaler.load_state_dict(state)


def check_scale(scale: float) -> None:
    """Refuse a scale of the loss from which on gradients overflow by themselves.

    Raises:
        StepError: it is below 1.
    """
    if scale < LEAST:
        raise StepError(
            "gradients overflow fp16 however small the loss is made",
            where="hardware.precision",
            fix="set hardware.precision: bf16, or a smaller training.optimizer.lr",
        )


def _parts(weights: list[torch.Tensor]) -> SimpleNamespace:
    """Return this process's parts of weights and gradients, as the scaler looks at an optimiser."""
    parts = []
    for weight in weights:
        part, gradient = _own(weight).detach(), weight.grad
        part.grad = None if gradient is None else _own(gradient)
        parts.append(part)
    return SimpleNamespace(param_groups=[{"params": parts}])


def _own(value: torch.Tensor) -> torch.Tensor:
    return value.to_local() if isinstance(value, DTensor) else value
