"""The focal loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.training import Loss

if TYPE_CHECKING:
    import torch


class Focal(Loss):
    """Log loss in which rows that the model is sure of count little: for rare classes.

    Its probabilities are pushed towards the middle: set `training.calibration` where they matter. Classes are
    weighed by `training.class_weights`.

    Source: Lin, Goyal, Girshick, He and Dollár, Focal Loss for Dense Object Detection (2017), equation 4.
    """

    targets: ClassVar[tuple[TargetKind, ...]] = ("binary", "category")

    gamma: float = Field(default=2.0, ge=0, le=20)
    """How much less sure rows count: their log loss times (1 - probability of the truth) to this power; 0 is
    the log loss.
    """

    def each(self, scores: torch.Tensor, truth: torch.Tensor, kind: TargetKind) -> torch.Tensor:
        """Return the loss of each row."""
        import torch
        from torch.nn import functional

        if kind == "binary":
            # The truth's own logit, so that nothing is ever one minus a probability near one.
            own = scores[:, 0] * (2.0 * truth - 1.0)
            return torch.exp(self.gamma * functional.logsigmoid(-own)) * -functional.logsigmoid(own)
        logs = functional.log_softmax(scores, 1)
        of_truth = logs.gather(1, truth[:, None])[:, 0]
        others = logs.masked_fill(functional.one_hot(truth, scores.shape[1]).bool(), -torch.inf)
        return torch.exp(self.gamma * torch.logsumexp(others, 1)) * -of_truth

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return the paper's, and one that is the log loss."""
        return (cls.revive({}), cls.revive({"gamma": 0.0}), cls.revive({"gamma": 0.5}))
