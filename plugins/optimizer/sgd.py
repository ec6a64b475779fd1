"""Gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from mlspec.sdk.training import Optimizer

if TYPE_CHECKING:
    import torch


class Sgd(Optimizer):
    """Steps along the gradient, with a memory of earlier ones."""

    lr: Annotated[float, Field(gt=0, le=100)] | Literal["auto"] = 0.01
    """Learning rate. `auto` is the one at which the loss falls fastest while the rate grows; found once, and
    pinned in `pipelines/<name>/found.yaml`.
    """
    momentum: float = Field(default=0.9, ge=0, lt=1)
    """How much of the last step is kept, fraction 0-1."""
    nesterov: bool = False
    """Whether the gradient is taken where the momentum leads; needs momentum."""
    weight_decay: float = Field(default=0.0, ge=0)
    """Share of each weight added to its gradient (L2)."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov needs a momentum above 0")
        return self

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """Return the optimiser; one fused kernel moves all weights."""
        import torch

        weights = tuple(parameters)
        return torch.optim.SGD(
            weights,
            lr=self.rate,
            momentum=self.momentum,
            nesterov=self.nesterov,
            weight_decay=self.weight_decay,
            fused=self.fused(weights),
        )

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return it with momentum, without, and looking ahead."""
        return (
            cls.revive({}),
            cls.revive({"momentum": 0.0}),
            cls.revive({"nesterov": True, "weight_decay": 1e-4}),
        )
