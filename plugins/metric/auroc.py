"""The area below the receiver operating characteristic."""

from __future__ import annotations

from typing import ClassVar, Literal

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric


class Auroc(Metric):
    """The chance that a positive row is ranked above another one; ties count half.

    For several classes: the mean over classes of each against the rest. Source: Fawcett, "An introduction to
    ROC analysis" (2006), algorithm 3; scikit-learn's `roc_auc_score(multi_class="ovr", average="macro")`.
    """

    targets: ClassVar[tuple[TargetKind, ...]] = ("binary", "category")
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def value(self, answers: Answers) -> float:
        """Return the area; NaN where these rows lack one of the classes, or an answer is NaN."""
        import numpy as np

        from mlspec.engine.judging.confusion import weights
        from mlspec.engine.judging.ranking import ranking

        assert answers.probabilities is not None
        weight, areas = weights(answers), []
        if np.isnan(answers.probabilities).any():
            return float("nan")
        for code in range(answers.probabilities.shape[1])[-1 if answers.kind == "binary" else 0 :]:
            steps = ranking(answers.truth == code, answers.probabilities[:, code], weight)
            if not steps.told:
                return float("nan")
            hits, misses = np.append(0.0, steps.positives), np.append(0.0, steps.negatives)
            areas.append(np.trapezoid(hits, misses) / (hits[-1] * misses[-1]))
        return float(np.mean(areas))
