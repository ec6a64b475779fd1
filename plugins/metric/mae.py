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

        from mlspec.engine.judging.confusion import weights

        assert answers.values is not None
        weight = weights(answers)
        if not weight.sum() > 0:
            return float("nan")
        return float(np.average(np.abs(answers.values - answers.truth), weights=weight))
