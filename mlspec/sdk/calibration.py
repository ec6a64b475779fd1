"""What makes a model's probabilities mean what they say, as the last nodes before its answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.plugin import Plugin

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlspec.engine.builder import Builder


class Calibration(Plugin):
    """Maps raw scores to raw scores whose probabilities are frequencies, fitted on the val split."""

    slot: ClassVar[str] = "calibration"
    targets: ClassVar[tuple[TargetKind, ...]]
    as_query: ClassVar[bool] = False
    """Whether its nodes are among those that `mlspec.engine.querying` writes as SQL."""

    def fit(
        self, scores: NDArray[np.float32], truth: NDArray[np.int64], weight: NDArray[np.float64]
    ) -> dict[str, Any]:
        """Return what was found, as plain data for `model.json`.

        Args:
            scores: `[rows, width] float32`: logits; one column of a binary target, else one a class.
            truth: `[rows]` class codes.
            weight: `[rows]`, not negative, some above 0.
        """
        raise NotImplementedError

    def apply(self, found: Mapping[str, Any], scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return calibrated scores, as the nodes of `append` give them."""
        raise NotImplementedError

    def append(self, builder: Builder, scores: str, found: Mapping[str, Any]) -> str:
        """Append the nodes and return the name of the calibrated scores, `[rows, width] float32`."""
        raise NotImplementedError
