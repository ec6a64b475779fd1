"""The mean absolute error."""

from __future__ import annotations

from typing import ClassVar, Literal

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric


class Mae(Metric):
    """The mean distance of the answer from the truth, in the target's unit."""

    targets: ClassVar[tuple[TargetKind, ...]] = ("number",)
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def value(self, answers: Answers) -> float:
        """Return the error; NaN without rows."""
        import numpy as np

        from mlspec.engine.judging.average import average, residuals

        return average(answers, lambda rows: np.abs(residuals(rows)))
