"""A rising line of any shape from scores to probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from mlspec.sdk.calibration import Calibration
from mlspec.sdk.contract import TargetKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlspec.engine.builder import Builder


class Isotonic(Calibration):
    """A rising line through the centres of scikit-learn's isotonic steps. It takes any shape, so val needs
    many rows: a thousand or more. For two classes.

    The line goes through the centres and not along the steps, so that rows keep their order; where it would
    be so steep that rounding shows in the answers, steps are put together.

    Source: Zadrozny and Elkan, Transforming Classifier Scores into Accurate Multiclass Probability Estimates
    (2002), section 3; Oron and Flournoy, Centered Isotonic Regression (2017), section 2.
    """

    requires: ClassVar[Mapping[str, str]] = {"sklearn": "train"}
    targets: ClassVar[tuple[TargetKind, ...]] = ("binary",)
    as_query: ClassVar[bool] = True

    def fit(
        self, scores: NDArray[np.float32], truth: NDArray[np.int64], weight: NDArray[np.float64]
    ) -> dict[str, Any]:
        """Return the corners of the line: `scores`, and the `probabilities` there."""
        import numpy as np
        from sklearn.isotonic import IsotonicRegression

        from ._isotonic import corners

        flat = scores[:, 0].astype(np.float64)
        line = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
        steps = line.fit(flat, truth.astype(np.float64), sample_weight=weight).predict(flat)
        places, heights = corners(flat, steps, weight)
        return {"scores": places, "probabilities": heights}

    def apply(self, found: Mapping[str, Any], scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the logits of the probabilities on the line."""
        from ._isotonic import logits

        return logits(found["scores"], found["probabilities"], scores)

    def append(self, builder: Builder, scores: str, found: Mapping[str, Any]) -> str:
        """Append a tree that finds the two corners beside a score, and the line between them."""
        from ._isotonic import append

        return append(builder, scores, found["scores"], found["probabilities"])
