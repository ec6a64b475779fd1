"""How far probabilities lie from frequencies."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric


class CalibrationError(Metric):
    """The distance between probability and frequency, averaged over groups of rows with like probabilities:
    0.03 says that they are three percent off. Of two classes the positive one's, else the answer's own.

    Source: the expected calibration error, Guo, Pleiss, Sun and Weinberger (2017), equation 3.
    """

    targets: ClassVar[tuple[TargetKind, ...]] = ("binary", "category")
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    bins: int = Field(default=15, ge=1, le=1000)
    """Groups of equal width that probabilities are put in."""

    def value(self, answers: Answers) -> float:
        """Return the error (fraction 0-1); NaN without rows."""
        import numpy as np

        from mlspec.engine.judging.confusion import weights

        assert answers.probabilities is not None
        weight = weights(answers)
        if not weight.sum() > 0:
            return float("nan")
        shares = answers.probabilities.astype(np.float64)
        best = shares.argmax(1) if answers.kind == "category" else np.ones(len(shares), np.int64)
        told, right = shares[np.arange(len(shares)), best], answers.truth == best
        place = np.minimum((told * self.bins).astype(np.int64), self.bins - 1)
        gaps = np.bincount(place, weight * (told - right), self.bins)
        return float(np.abs(gaps).sum() / weight.sum())

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return the usual one, and a coarse one."""
        return (cls.revive({}), cls.revive({"bins": 5}))
