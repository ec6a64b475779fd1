"""The squared error of a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.training import Loss

if TYPE_CHECKING:
    import torch


class SquaredError(Loss):
    """The square of the distance, in the target's standard deviations: the model learns the mean. Numbers are
    learnt by it where nothing is said.
    """

    targets: ClassVar[tuple[TargetKind, ...]] = ("number",)

    def each(self, scores: torch.Tensor, truth: torch.Tensor, kind: TargetKind) -> torch.Tensor:
        """Return the loss of each row."""
        from torch.nn import functional

        return functional.mse_loss(scores[:, 0], truth, reduction="none")
