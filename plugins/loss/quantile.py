"""The loss that teaches a quantile."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.training import Loss

if TYPE_CHECKING:
    import torch


class Quantile(Loss):
    """The model learns a value that a share of truths lies below: 0.5 the median, 0.9 what one row in ten
    exceeds. The metric `pinball` measures it.

    Source: Koenker and Bassett, Regression Quantiles (1978).
    """

    targets: ClassVar[tuple[TargetKind, ...]] = ("number",)

    q: float = Field(default=0.5, gt=0, lt=1)
    """Share (fraction 0-1) of truths that lie below the answer."""

    def each(self, scores: torch.Tensor, truth: torch.Tensor, kind: TargetKind) -> torch.Tensor:
        """Return the loss of each row."""
        import torch

        above = truth - scores[:, 0]
        return torch.maximum(self.q * above, (self.q - 1.0) * above)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return the median and a high one."""
        return (cls.revive({}), cls.revive({"q": 0.9}))
