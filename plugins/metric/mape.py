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

        from mlspec.engine.judging.confusion import weights

        assert answers.values is not None
        weight = weights(answers)
        if not weight.sum() > 0:
            return float("nan")
        scale = np.maximum(np.abs(answers.truth), np.finfo(np.float64).eps)
        return float(np.average(np.abs(answers.values - answers.truth) / scale, weights=weight))
