"""The area below the precision-recall steps."""

from __future__ import annotations

from typing import ClassVar, Literal

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric


class AveragePrecision(Metric):
    """Precision, averaged over the positive rows from the highest score down; no interpolation.

    For several classes: the mean over classes of each against the rest. Source: scikit-learn, "Metrics and
    scoring", average precision: the sum of `(recall_n - recall_{n-1}) * precision_n`.
    """

    targets: ClassVar[tuple[TargetKind, ...]] = ("binary", "category")
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def value(self, answers: Answers) -> float:
        """Return the average; NaN where these rows lack a class, or an answer is NaN."""
        import numpy as np

        from mlspec.engine.judging.ranking import ranking
        from mlspec.engine.on_disk import parts

        assert answers.probabilities is not None
        shares, averages = answers.probabilities, []
        if any(np.isnan(shares[here]).any() for here in parts(len(shares))):
            return float("nan")
        for code in range(shares.shape[1])[-1 if answers.kind == "binary" else 0 :]:
            steps = ranking(answers.truth == code, shares[:, code], answers.weight)
            if not len(steps.scores) or steps.positives[-1] == 0:
                return float("nan")
            averages.append(steps.precision())
        return float(np.mean(averages))
