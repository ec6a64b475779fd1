"""The squared error of the probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Brier(Metric):
    """The mean squared distance of the probabilities from the truth: 0-1 for two classes, 0-2 for several.

    Source: Brier, "Verification of forecasts expressed in terms of probability" (1950); for two classes the
    positive one alone, as in scikit-learn's `brier_score_loss`.
    """

    targets: ClassVar[tuple[TargetKind, ...]] = ("binary", "category")
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def value(self, answers: Answers) -> float:
        """Return the score; NaN without rows."""
        import numpy as np

        from mlspec.engine.judging.average import average

        def errors(rows: Answers) -> NDArray[np.float64]:
            assert rows.probabilities is not None
            truth = np.eye(rows.probabilities.shape[1])[rows.truth.astype(np.int64)]
            squares = (rows.probabilities.astype(np.float64) - truth) ** 2
            return squares[:, -1] if rows.kind == "binary" else squares.sum(axis=1)

        return average(answers, errors)
