"""The pinball loss of a quantile."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Pinball(Metric):
    """The distance from the truth, weighed by its side: smallest where a share `q` of truths lies below."""

    targets: ClassVar[tuple[TargetKind, ...]] = ("number",)
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    q: float = Field(default=0.5, gt=0, lt=1)
    """Share (fraction 0-1) of truths that should lie below the answer."""

    def value(self, answers: Answers) -> float:
        """Return the mean loss, in the target's unit; NaN without rows."""
        import numpy as np

        from mlspec.engine.judging.average import average, residuals

        def loss(rows: Answers) -> NDArray[np.float64]:
            above = -residuals(rows)
            return np.maximum(self.q * above, (self.q - 1.0) * above)

        return average(answers, loss)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return the median's and a high quantile's."""
        return (cls.revive({}), cls.revive({"q": 0.9}))
