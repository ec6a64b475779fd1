"""The mean surprise at the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class LogLoss(Metric):
    """Minus the logarithm (natural) of the probability given to the true class, averaged by weight.

    Probabilities are held at least 2.2e-16 from 0 and 1, as in scikit-learn.
    """

    targets: ClassVar[tuple[TargetKind, ...]] = ("binary", "category")
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def value(self, answers: Answers) -> float:
        """Return the loss in nats; NaN without rows."""
        import numpy as np

        from mlspec.engine.judging.average import average

        edge = np.finfo(np.float64).eps

        def losses(rows: Answers) -> NDArray[np.float64]:
            assert rows.probabilities is not None
            given = rows.probabilities[np.arange(len(rows.truth)), rows.truth.astype(np.int64)]
            return -np.log(np.clip(given.astype(np.float64), edge, 1 - edge))

        return average(answers, losses)
