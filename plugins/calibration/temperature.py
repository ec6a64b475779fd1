"""One number that all scores are divided by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from mlspec.sdk.calibration import Calibration
from mlspec.sdk.contract import TargetKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlspec.engine.builder import Builder

LEAST, MOST = 1e-3, 1e3
"""Between these the inverse of the temperature is looked for."""


class Temperature(Calibration):
    """Divides scores by the temperature that makes the log loss on val smallest: labels stay what they were.

    Source: Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks (2017), section 4.2.
    """

    targets: ClassVar[tuple[TargetKind, ...]] = ("binary", "category")
    as_query: ClassVar[bool] = True

    def fit(
        self, scores: NDArray[np.float32], truth: NDArray[np.int64], weight: NDArray[np.float64]
    ) -> dict[str, Any]:
        """Return `temperature`; the log loss has one valley, and its slope is halved into."""
        import numpy as np

        wide = scores.astype(np.float64)
        if wide.shape[1] == 1:
            wide = np.concatenate([np.zeros_like(wide), wide], axis=1)
        own = wide[np.arange(len(truth)), truth]

        def slope(factor: float) -> float:
            powers = np.exp(factor * (wide - wide.max(1, keepdims=True)))
            mean = (powers * wide).sum(1) / powers.sum(1)
            return float(np.average(mean - own, weights=weight))

        low, high = np.log(LEAST), np.log(MOST)
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if slope(float(np.exp(middle))) < 0 else (low, middle)
        return {"temperature": float(np.exp(-(low + high) / 2))}

    def apply(self, found: Mapping[str, Any], scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the scores over the temperature."""
        import numpy as np

        return scores * np.float32(1.0 / found["temperature"])

    def append(self, builder: Builder, scores: str, found: Mapping[str, Any]) -> str:
        """Append one product."""
        import numpy as np

        return builder.node("Mul", scores, builder.constant(1.0 / found["temperature"], np.float32))
