"""The squared error of the probabilities."""

from __future__ import annotations

from typing import ClassVar, Literal

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric


class Brier(Metric):
    """The mean squared distance of the probabilities from the truth: 0-1 for two classes, 0-2 for several.

    Source: Brier, "Verification of forecasts expressed in terms of probability" (1950); for two classes the
    positive one alone, as in scikit-learn's `brier_score_loss`.
    """

    targets: ClassVar[tuple[TargetKind, ...]] = ("binary", "category")
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def value(self, answers: Answers) -> float:
        """Return the score; NaN without rows."""
        import numpy as np

        from mlspec.engine.judging.confusion import weights

        assert answers.probabilities is not None
        weight = weights(answers)
        if not weight.sum() > 0:
            return float("nan")
        truth = np.eye(answers.probabilities.shape[1])[answers.truth.astype(np.int64)]
        squares = (answers.probabilities.astype(np.float64) - truth) ** 2
        errors = squares[:, -1] if answers.kind == "binary" else squares.sum(axis=1)
        return float(np.average(errors, weights=weight))
