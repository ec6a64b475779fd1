"""The mean over classes of the share of right answers."""

from __future__ import annotations

from typing import ClassVar, Literal

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric


class BalancedAccuracy(Metric):
    """The mean recall of the classes that these rows hold: a rare class counts as much as a common one.

    Source: scikit-learn, "Metrics and scoring", balanced accuracy score (without chance adjustment).
    """

    targets: ClassVar[tuple[TargetKind, ...]] = ("binary", "category")
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def value(self, answers: Answers) -> float:
        """Return the mean recall; NaN without rows."""
        from mlspec.engine.judging.confusion import confusion

        cells = confusion(answers)
        held = cells.sum(axis=1) > 0
        return (
            float((cells.diagonal()[held] / cells.sum(axis=1)[held]).mean()) if held.any() else float("nan")
        )
