"""Gradient boosted trees over histograms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field

from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.model import FitOptions, Fitted, FittedModel

if TYPE_CHECKING:
    from collections.abc import Mapping


class GradientBoosting(FittedModel):
    """Trees fitted one after the other, each to what the ones before left over (scikit-learn's)."""

    requires: ClassVar[Mapping[str, str]] = {"sklearn": "train", "onnx": "train"}
    uses: ClassVar[frozenset[str]] = FittedModel.uses | {"loss"}
    losses: ClassVar[frozenset[str] | None] = frozenset({"log_loss", "squared_error", "quantile"})
    as_query: ClassVar[bool] = True

    trees: int = Field(default=100, ge=1, le=100_000)
    """Rounds of boosting; each fits one tree (one a class, where there are several)."""
    learning_rate: float = Field(default=0.1, gt=0, le=1)
    """Share (fraction 0-1) of each tree's answer that is added."""
    max_leaves: int = Field(default=31, ge=2, le=65_536)
    """Most leaves of a tree."""
    max_depth: int | None = Field(default=None, ge=1, le=1000)
    """Most decisions on the way to a leaf; no limit where absent."""
    min_rows: int = Field(default=20, ge=1)
    """Fewest training rows in a leaf."""
    l2: float = Field(default=0.0, ge=0)
    """How strongly the answers of leaves are pulled towards zero."""
    max_bins: int = Field(default=255, ge=2, le=255)
    """Most steps into which a number is cut before splits are looked for."""
    max_features: float = Field(default=1.0, gt=0, le=1)
    """Share (fraction 0-1) of the columns that each split may choose from, drawn by the seed."""
    patience: int | None = Field(default=None, ge=1)
    """Rounds without a smaller loss on the val split before fitting stops; the best round's are kept."""

    def fit(
        self,
        train: Encoded,
        val: Encoded | None,
        inputs: ModelInputs,
        target: FittedTarget,
        options: FitOptions,
    ) -> Fitted:
        """Fit the trees and write them as one ONNX node."""
        from ._boosting import fit

        return fit(self.arguments(options.seed), train, val, inputs, target, options)

    def arguments(self, seed: int) -> dict[str, Any]:
        """Return these options in scikit-learn's words."""
        return {
            "max_iter": self.trees,
            "learning_rate": self.learning_rate,
            "max_leaf_nodes": self.max_leaves,
            "max_depth": self.max_depth,
            "min_samples_leaf": self.min_rows,
            "l2_regularization": self.l2,
            "max_bins": self.max_bins,
            "max_features": self.max_features,
            "early_stopping": self.patience is not None,
            "n_iter_no_change": self.patience or 10,
            "tol": 0.0,
            "scoring": "loss",
            "random_state": seed,
        }

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return a small one, one with every option set, and one that stops early."""
        return (
            cls.revive({"trees": 30, "min_rows": 5}),
            cls.revive({"trees": 30, "max_leaves": 8, "max_depth": 3, "l2": 1.0, "max_bins": 32}),
            cls.revive({"trees": 30, "learning_rate": 0.3, "max_features": 0.7}),
            cls.revive({"trees": 200, "learning_rate": 0.3, "patience": 3}),
        )
