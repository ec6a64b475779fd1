"""The share of right answers."""

from __future__ import annotations

from typing import ClassVar, Literal

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric


class Accuracy(Metric):
    """The share of rows (fraction 0-1, by weight) whose label is right."""

    targets: ClassVar[tuple[TargetKind, ...]] = ("binary", "category")
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def value(self, answers: Answers) -> float:
        """Return the share of right labels; NaN without rows."""
        from mlspec.engine.judging.confusion import confusion

        cells = confusion(answers)
        return float(cells.trace() / cells.sum()) if cells.sum() > 0 else float("nan")
