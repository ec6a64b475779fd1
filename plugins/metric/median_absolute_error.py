"""The median absolute error."""

from __future__ import annotations

from typing import ClassVar, Literal

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric


class MedianAbsoluteError(Metric):
    """The distance from the truth that half of the weight stays below, in the target's unit.

    Source: Hyndman and Fan, "Sample quantiles in statistical packages" (1996), definition 2, with weights.
    """

    targets: ClassVar[tuple[TargetKind, ...]] = ("number",)
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def value(self, answers: Answers) -> float:
        """Return the error; NaN without rows, or where an answer is NaN."""
        import numpy as np

        from mlspec.engine.judging.confusion import weights

        assert answers.values is not None
        weight = weights(answers)
        errors, weight = np.abs(answers.values - answers.truth)[weight > 0], weight[weight > 0]
        if not len(errors) or np.isnan(errors).any():
            return float("nan")
        order = np.argsort(errors, kind="stable")
        below = np.cumsum(weight[order])
        half = below[-1] / 2
        low = int(np.searchsorted(below, half))
        exact = below[low] == half and low + 1 < len(errors)
        return float((errors[order[low]] + errors[order[low + exact]]) / 2)
