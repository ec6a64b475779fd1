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
        from mlspec.engine.judging.average import average, residuals

        mean = average(answers, lambda rows: rows.truth)
        spread = average(answers, lambda rows: (rows.truth - mean) ** 2)
        if len(answers.truth) < 2 or not spread > 0:
            return float("nan")
        return 1 - average(answers, lambda rows: residuals(rows) ** 2) / spread
