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
        from mlspec.engine.on_disk import parts

        gaps, mass = np.zeros(self.bins), 0.0
        for here in parts(len(answers.truth)):
            some = answers.of(here)
            assert some.probabilities is not None
            shares, weight = some.probabilities.astype(np.float64), weights(some)
            best = shares.argmax(1) if answers.kind == "category" else np.ones(len(shares), np.int64)
            told, right = shares[np.arange(len(shares)), best], some.truth == best
            place = np.minimum((told * self.bins).astype(np.int64), self.bins - 1)
            gaps += np.bincount(place, weight * (told - right), self.bins)
            mass += float(weight.sum())
        return float(np.abs(gaps).sum() / mass) if mass > 0 else float("nan")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return the usual one, and a coarse one."""
        return (cls.revive({}), cls.revive({"bins": 5}))
