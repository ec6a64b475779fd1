"""The mean absolute percentage error."""

from __future__ import annotations

from typing import ClassVar, Literal

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric


class Mape(Metric):
    """The mean distance from the truth as a fraction of it (0.1 is ten percent); truth 0 makes it huge."""

    targets: ClassVar[tuple[TargetKind, ...]] = ("number",)
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def value(self, answers: Answers) -> float:
        """Return the error as a fraction; NaN without rows."""
        import numpy as np

        from mlspec.engine.judging.average import average, residuals

        least = np.finfo(np.float64).eps
        return average(
            answers,
            lambda rows: np.abs(residuals(rows)) / np.maximum(np.abs(rows.truth), least),
        )
