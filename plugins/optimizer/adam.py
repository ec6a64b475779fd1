"""Adam."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from mlspec.sdk.training import Optimizer

if TYPE_CHECKING:
    import torch

Beta = Annotated[float, Field(ge=0, lt=1)]


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square.

    Source: Kingma and Ba, Adam: A Method for Stochastic Optimization (2015), algorithm 1.
    """

    lr: Annotated[float, Field(gt=0, le=100)] | Literal["auto"] = 1e-3
    """Learning rate. `auto` is the one at which the loss falls fastest while the rate grows; found once, and
    pinned in `pipelines/<name>/found.yaml`.
    """
    betas: tuple[Beta, Beta] = (0.9, 0.999)
    """How much of each running mean (of the gradient, of its square) is kept at a step, fraction 0-1."""
    eps: float = Field(default=1e-8, gt=0)
    """Added to the divisor, so that it is never zero."""
    weight_decay: float = Field(default=0.0, ge=0)
    """Share of each weight added to its gradient (L2)."""

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """Return the optimiser; one fused kernel moves all weights."""
        import torch

        weights = tuple(parameters)
        return torch.optim.Adam(
            weights,
            lr=self.rate,
            betas=self.betas,
            eps=self.eps,
            weight_decay=self.weight_decay,
            fused=self.fused(weights),
        )
