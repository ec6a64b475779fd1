"""One decision tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field

from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.model import FitOptions, Fitted, FittedModel


class Tree(FittedModel):
    """One tree of decisions, small enough to be read (scikit-learn's).

    No class is given a share below one in training rows and classes.

    Source: Breiman, Friedman, Olshen and Stone, "Classification and Regression Trees" (1984).
    """

    requires: ClassVar[Mapping[str, str]] = {"sklearn": "train", "onnx": "train"}

    max_leaves: int | None = Field(default=None, ge=2)
    """Most leaves; no limit where absent."""
    max_depth: int | None = Field(default=None, ge=1, le=1000)
    """Most decisions on the way to a leaf; no limit where absent."""
    min_rows: int = Field(default=20, ge=1)
    """Fewest training rows in a leaf."""
    pruning: float = Field(default=0.0, ge=0)
    """What a leaf costs beside the error that it saves (the alpha of cost-complexity pruning): larger values
    leave smaller trees.
    """

    def fit(
        self,
        train: Encoded,
        val: Encoded | None,
        inputs: ModelInputs,
        target: FittedTarget,
        options: FitOptions,
    ) -> Fitted:
        """Fit the tree and write it as one ONNX node."""
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        from ._forest import fit

        made = DecisionTreeRegressor if target.kind == "number" else DecisionTreeClassifier
        return fit(made(**self.arguments(options.seed)), train, inputs, target, options)

    def arguments(self, seed: int) -> dict[str, Any]:
        """Return these options in scikit-learn's words."""
        return {
            "max_leaf_nodes": self.max_leaves,
            "max_depth": self.max_depth,
            "min_samples_leaf": self.min_rows,
            "ccp_alpha": self.pruning,
            "random_state": seed,
        }

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one with its defaults, and one with every option set."""
        return (
            cls.revive({"min_rows": 5}),
            cls.revive({"max_leaves": 50, "max_depth": 8, "min_rows": 4, "pruning": 1e-4}),
        )
