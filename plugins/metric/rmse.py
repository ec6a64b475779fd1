"""The root mean squared error."""

from __future__ import annotations

from typing import ClassVar, Literal

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric


class Rmse(Metric):
    """The root of the mean squared distance from the truth, in the target's unit."""

    targets: ClassVar[tuple[TargetKind, ...]] = ("number",)
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def value(self, answers: Answers) -> float:
        """Return the error; NaN without rows."""
        import numpy as np

        from mlspec.engine.judging.average import average, residuals

        return float(np.sqrt(average(answers, lambda rows: residuals(rows) ** 2)))
