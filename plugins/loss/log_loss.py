"""The log loss of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.training import Loss

if TYPE_CHECKING:
    import torch


class LogLoss(Loss):
    """How improbable the model held the truth to be. Classes are learnt by it where nothing is said."""

    targets: ClassVar[tuple[TargetKind, ...]] = ("binary", "category")

    def each(self, scores: torch.Tensor, truth: torch.Tensor, kind: TargetKind) -> torch.Tensor:
        """Return the loss of each row."""
        from torch.nn import functional

        if kind == "binary":
            return functional.binary_cross_entropy_with_logits(scores[:, 0], truth, reduction="none")
        return functional.cross_entropy(scores, truth, reduction="none")
