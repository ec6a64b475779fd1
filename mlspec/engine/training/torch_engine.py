"""Weights that torch's own optimiser moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch

from mlspec.engine.training.gradients import clip
from mlspec.engine.training.group import Group
from mlspec.engine.training.parted import gathered, parted, parted_state, unfused, whole
from mlspec.engine.training.scaled import Scaled
from mlspec.sdk.strategy import Driven


class TorchEngine:
    """A module in torch's hands, whole or parted over processes; the `Engine` of most strategies.

    Args:
        module: On its device, spread already where there are several.
        score: The module as training steps call it.
        driven: What it must know.
        group: This process's place among those that train.
        backward: Makes gradients of a loss.
        step: Lets the optimiser move the weights.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        score: Callable[..., torch.Tensor],
        driven: Driven,
        group: Group,
        backward: Callable[[torch.Tensor], None],
        step: Callable[[], object],
    ) -> None:
        self.score = score
        self.optimizer = driven.optimizer(module.parameters())
        unfused(self.optimizer)
        self._module, self._most, self._backward, self._step = module, driven.clip_norm, backward, step
        device = next(module.parameters()).device
        self._scaled = Scaled(self.optimizer, device, group) if driven.precision == "fp16" else None
        self._first = True

    def backward(self, loss: torch.Tensor, last: bool) -> None:
        """Add the gradients of a part of a batch to those of its other parts."""
        if self._first:
            # Not as soon as the weights were moved: until then somebody may look at the gradients.
            self.optimizer.zero_grad()
        self._first = last
        self._backward(loss if self._scaled is None else self._scaled.loss(loss))

    def step(self) -> bool:
        """Shorten the gradients, move the weights, and return whether that was done."""
        if self._scaled is not None:
            self._scaled.unscale()
        if self._most is not None:
            clip(self._module.parameters(), self._most)
        if self._scaled is not None:
            return self._scaled.step()
        self._step()
        return True

    def skipped(self) -> int:
        """Return the steps that were left out since this was last asked."""
        return 0 if self._scaled is None else self._scaled.skipped()

    def gathered(self) -> AbstractContextManager[None]:
        """Let every process see the weights whole, and keep what all of them change alike."""
        return gathered(self._module)

    def weights(self, keep: bool) -> dict[str, Any]:
        """Return the module's state, whole and on the CPU, or None in the place of parts."""
        found: dict[str, Any] = whole(self._module.state_dict(), keep)
        return found

    def gradients(self, keep: bool) -> dict[str, Any]:
        """Return the gradients of the last batch by the names of their weights, whole."""
        own = {name: weight.grad for name, weight in self._module.named_parameters()}
        found: dict[str, Any] = whole({name: item for name, item in own.items() if item is not None}, keep)
        return found

    def copied(self) -> dict[str, torch.Tensor]:
        """Return the module's state as it is now; of what is parted, this process's part."""
        return {name: value.detach().clone() for name, value in self._module.state_dict().items()}

    def put(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Put back what `copied` gave, or a whole state."""
        likes = self._module.state_dict()
        self._module.load_state_dict({name: parted(value, likes[name]) for name, value in weights.items()})

    def state(self, keep: bool) -> dict[str, Any]:
        """Return the state of the optimiser, of whole weights, and the scale of the loss."""
        return {
            "optimizer": whole(self.optimizer.state_dict(), keep),
            "scale": None if self._scaled is None else self._scaled.state(),
        }

    def resume(self, found: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.optimizer.load_state_dict(parted_state(found["optimizer"], self.optimizer))
        if self._scaled is not None:
            self._scaled.resume(found["scale"])
