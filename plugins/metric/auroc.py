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

        from mlspec.engine.judging.ranking import ranking
        from mlspec.engine.on_disk import parts

        assert answers.probabilities is not None
        shares, areas = answers.probabilities, []
        if any(np.isnan(shares[here]).any() for here in parts(len(shares))):
            return float("nan")
        for code in range(shares.shape[1])[-1 if answers.kind == "binary" else 0 :]:
            steps = ranking(answers.truth == code, shares[:, code], answers.weight)
            if not steps.told:
                return float("nan")
            areas.append(steps.area())
        return float(np.mean(areas))
