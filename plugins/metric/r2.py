"""The share of the variance that is explained."""

from __future__ import annotations

from typing import ClassVar, Literal

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric


class R2(Metric):
    """1 for perfect answers, 0 for always answering the mean of these rows, below 0 for worse."""

    targets: ClassVar[tuple[TargetKind, ...]] = ("number",)
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def value(self, answers: Answers) -> float:
        """Return the share; NaN for fewer than two rows, or where the truth is constant."""
        import numpy as np

        from mlspec.engine.judging.confusion import weights

        assert answers.values is not None
        weight = weights(answers)
        if not weight.sum() > 0:
            return float("nan")
        mean = np.average(answers.truth, weights=weight)
        spread = np.average((answers.truth - mean) ** 2, weights=weight)
        if len(answers.truth) < 2 or not spread > 0:
            return float("nan")
        return float(1 - np.average((answers.values - answers.truth) ** 2, weights=weight) / spread)
