"""The mean surprise at the truth."""

from __future__ import annotations

from typing import ClassVar, Literal

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric


class LogLoss(Metric):
    """Minus the logarithm (natural) of the probability given to the true class, averaged by weight.

    Probabilities are held at least 2.2e-16 from 0 and 1, as in scikit-learn.
    """

    targets: ClassVar[tuple[TargetKind, ...]] = ("binary", "category")
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def value(self, answers: Answers) -> float:
        """Return the loss in nats; NaN without rows."""
        import numpy as np

        from mlspec.engine.judging.confusion import weights

        assert answers.probabilities is not None
        weight = weights(answers)
        if not weight.sum() > 0:
            return float("nan")
        given = answers.probabilities[np.arange(len(weight)), answers.truth.astype(np.int64)].astype(
            np.float64
        )
        edge = np.finfo(np.float64).eps
        return float(np.average(-np.log(np.clip(given, edge, 1 - edge)), weights=weight))
