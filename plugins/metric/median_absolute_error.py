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

        from mlspec.engine.judging.average import residuals
        from mlspec.engine.judging.ranking import ranking
        from mlspec.engine.on_disk import beside, parts

        assert answers.values is not None
        nearness = beside(answers.values, answers.values.shape, np.float64)
        for here in parts(len(nearness)):
            nearness[here] = -np.abs(residuals(answers.of(here)))
        steps = ranking(np.broadcast_to(np.True_, nearness.shape), nearness, answers.weight)
        errors, below = steps.scores, steps.positives
        if not len(errors) or np.isnan(errors[-1]):
            return float("nan")
        half = below[-1] / 2
        low = int(np.searchsorted(below, half))
        exact = below[low] == half and low + 1 < len(errors)
        return float(-(errors[low] + errors[low + exact]) / 2)
