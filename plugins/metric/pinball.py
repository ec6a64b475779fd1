"""The pinball loss of a quantile."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric


class Pinball(Metric):
    """The distance from the truth, weighed by its side: smallest where a share `q` of truths lies below."""

    targets: ClassVar[tuple[TargetKind, ...]] = ("number",)
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    q: float = Field(default=0.5, gt=0, lt=1)
    """Share (fraction 0-1) of truths that should lie below the answer."""

    def value(self, answers: Answers) -> float:
        """Return the mean loss, in the target's unit; NaN without rows."""
        import numpy as np

        from mlspec.engine.judging.confusion import weights

        assert answers.values is not None
        weight = weights(answers)
        if not weight.sum() > 0:
            return float("nan")
        above = answers.truth - answers.values
        return float(np.average(np.maximum(self.q * above, (self.q - 1.0) * above), weights=weight))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return the median's and a high quantile's."""
        return (cls.revive({}), cls.revive({"q": 0.9}))
