"""A forest of decision trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field

from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.model import FitOptions, Fitted, FittedModel


class Forest(FittedModel):
    """Trees fitted side by side, each to rows and columns drawn for it; their mean answers (scikit-learn's).

    No class is given a share below one in training rows and classes: a forest that never met a class in a
    leaf does not know that there is none.

    Source: Breiman, "Random Forests", Machine Learning 45 (2001).
    """

    requires: ClassVar[Mapping[str, str]] = {"sklearn": "train", "onnx": "train"}

    trees: int = Field(default=100, ge=1, le=10_000)
    """How many."""
    max_leaves: int | None = Field(default=None, ge=2)
    """Most leaves of a tree; no limit where absent."""
    max_depth: int | None = Field(default=None, ge=1, le=1000)
    """Most decisions on the way to a leaf; no limit where absent."""
    min_rows: int = Field(default=5, ge=1)
    """Fewest training rows in a leaf. With 1 a file is several times as large and its shares are coarser."""
    max_features: float | None = Field(default=None, gt=0, le=1)
    """Share (fraction 0-1) of the columns that each split may choose from; where absent, all columns for a
    number and the square root of their count for classes.
    """
    sample: float = Field(default=1.0, gt=0, le=1)
    """Rows that are drawn for each tree, with repetition, as a share (fraction 0-1) of the training rows."""

    def fit(
        self,
        train: Encoded,
        val: Encoded | None,
        inputs: ModelInputs,
        target: FittedTarget,
        options: FitOptions,
    ) -> Fitted:
        """Fit the trees and write them as one ONNX node."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        from ._forest import fit

        made = RandomForestRegressor if target.kind == "number" else RandomForestClassifier
        learner = made(n_jobs=options.threads, **self.arguments(options.seed, target.kind == "number"))
        return fit(learner, train, inputs, target, options)

    def arguments(self, seed: int, number: bool) -> dict[str, Any]:
        """Return these options in scikit-learn's words."""
        return {
            "n_estimators": self.trees,
            "max_leaf_nodes": self.max_leaves,
            "max_depth": self.max_depth,
            "min_samples_leaf": self.min_rows,
            "max_features": self.max_features or (1.0 if number else "sqrt"),
            "max_samples": None if self.sample == 1 else self.sample,
            "random_state": seed,
        }

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return a small one, and one with every option set."""
        return (
            cls.revive({"trees": 20, "max_features": 0.8}),
            cls.revive(
                {
                    "trees": 12,
                    "max_leaves": 60,
                    "max_depth": 9,
                    "min_rows": 2,
                    "max_features": 1.0,
                    "sample": 0.8,
                }
            ),
        )
