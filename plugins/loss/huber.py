"""Huber's loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.training import Loss

if TYPE_CHECKING:
    import torch


class Huber(Loss):
    """Squared near the truth and straight beyond: a few rows far off do not pull the model to them.

    Source: Huber, Robust Estimation of a Location Parameter (1964).
    """

    targets: ClassVar[tuple[TargetKind, ...]] = ("number",)

    delta: float = Field(default=1.0, gt=0, le=1e6)
    """Where it turns straight, in standard deviations of the target."""

    def each(self, scores: torch.Tensor, truth: torch.Tensor, kind: TargetKind) -> torch.Tensor:
        """Return the loss of each row."""
        from torch.nn import functional

        return functional.huber_loss(scores[:, 0], truth, reduction="none", delta=self.delta)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return two."""
        return (cls.revive({}), cls.revive({"delta": 0.1}))
