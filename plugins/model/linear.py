"""Logistic regression, its form for several classes, and linear regression."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from mlspec.sdk.contract import FittedTarget, ModelInputs, TargetKind
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.model import TorchModel
from mlspec.sdk.sums import Sums

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from mlspec.engine.builder import Builder


class Linear(TorchModel):
    """One weight a number and one a category's value: logistic regression, or linear regression."""

    as_query: ClassVar[bool] = True

    solver: Literal["gradient", "normal_equations", "lbfgs"] = "gradient"
    """`gradient`: in epochs, by `training.optimizer`. `normal_equations`: least squares for a number target,
    exactly and at once, from sums that one SQL query makes over the training rows: in the database, where
    `data.source.compute` says so. `lbfgs`: logistic
    regression of classes over all rows at once, until nothing changes, as scikit-learn's."""
    ridge: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """With `normal_equations` and `lbfgs`: how strongly weights of scaled numbers and of values are pulled
    towards zero (scikit-learn's `alpha`, and one over its `C`); 1 is usual."""

    @model_validator(mode="after")
    def _ridge_is_used(self) -> Self:
        if self.ridge and self.solver == "gradient":
            raise ValueError(
                "expected ridge beside solver: normal_equations or lbfgs; an optimizer has weight_decay"
            )
        if self.solver == "lbfgs" and not self.ridge:
            raise ValueError(
                "expected a ridge above 0, such as 1, beside solver: lbfgs: classes that a line separates "
                "have no best weights without"
            )
        return self

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return the usual one."""
        return (cls.revive({}),)

    def obeys(self) -> frozenset[str]:
        """Return what has a meaning where there are no epochs."""
        if self.solver == "normal_equations":
            return frozenset()
        return frozenset({"class_weights", "calibration"}) if self.at_once() else type(self).uses

    def targets(self) -> tuple[TargetKind, ...]:
        """Return numbers alone for equations, since least squares gives no probabilities; else classes."""
        if self.solver == "normal_equations":
            return ("number",)
        return ("binary", "category") if self.at_once() else super().targets()

    def at_once(self) -> bool:
        """Return whether there are no epochs."""
        return self.solver != "gradient"

    def from_sums(self) -> bool:
        """Return whether the equations are solved, which say of rows no more than sums."""
        return self.solver == "normal_equations"

    def solve(
        self,
        rows: Encoded,
        inputs: ModelInputs,
        target: FittedTarget,
        class_weights: tuple[float, ...] | None = None,
    ) -> torch.nn.Module:
        """Return the module of the best weights; values that no row had weigh the mean of the others."""
        import numpy as np

        from mlspec.engine.training.lbfgs import lbfgs

        constants, found = lbfgs(rows, inputs, target, self.ridge, class_weights)
        counts = [np.bincount(rows.codes[:, at], minlength=size) for at, size in enumerate(inputs.sizes)]
        return self._of_weights(constants, found, counts, inputs, target)

    def solve_sums(self, sums: Sums, inputs: ModelInputs, target: FittedTarget) -> torch.nn.Module:
        """Return the module of the best weights; values that no row had weigh the mean of the others."""
        import numpy as np

        from mlspec.engine.training.normal_equations import normal_equations

        constant, line = normal_equations(sums, self.ridge)
        counts = np.split(sums.counts, np.cumsum(inputs.sizes).astype(int)[:-1]) if inputs.sizes else []
        return self._of_weights(np.array([constant]), line[None, :], counts, inputs, target)

    def _of_weights(
        self,
        constants: NDArray[np.float64],
        found: NDArray[np.float64],
        counts: Sequence[NDArray[np.int64]],
        inputs: ModelInputs,
        target: FittedTarget,
    ) -> torch.nn.Module:
        """Return the module of a line of weights a score: of the numbers, then of each column's codes."""
        import numpy as np
        import torch

        from ._groups import groups

        module = self.module(inputs, target)
        first = np.concatenate([[0], np.cumsum(inputs.sizes)]).astype(int) + inputs.numbers
        state = {
            "bias": constants,
            "numbers": found[:, : inputs.numbers],
            **{
                f"tables.{place}.weight": np.concatenate(
                    [found[:, first[column] : first[column + 1]].T for column in group.columns]
                )
                for place, group in enumerate(groups(inputs.sizes, lambda size: target.width))
            },
        }
        module.load_state_dict(
            {name: torch.from_numpy(np.ascontiguousarray(value)).float() for name, value in state.items()}
        )
        self.settle(module, [torch.from_numpy(count) for count in counts])
        return module.eval()

    def module(self, inputs: ModelInputs, target: FittedTarget) -> torch.nn.Module:
        """Return the module; it starts at zero, so the seed only orders the rows."""
        from ._groups import groups
        from ._network import Linear as Network

        return Network(inputs, target.width, groups(inputs.sizes, lambda size: target.width))

    def append(self, builder: Builder, folder: Path, inputs: ModelInputs, target: FittedTarget) -> str:
        """Append a product for the numbers and a sum of looked-up weights for the codes."""
        from safetensors.numpy import load_file

        from mlspec.engine.builder import NUMBERS

        from ._groups import groups
        from ._lookup import lookup

        weights = load_file(folder / "weights.safetensors")
        bias = builder.constant(weights["bias"])
        scores = bias
        if inputs.numbers:
            scores = builder.node("Gemm", NUMBERS, builder.constant(weights["numbers"]), bias, transB=1)
        for place, group in enumerate(groups(inputs.sizes, lambda size: target.width)):
            found = lookup(builder, group, weights[f"tables.{place}.weight"], len(inputs.sizes))
            total = builder.node("ReduceSum", found, builder.constant([1], "int64"), keepdims=0)
            scores = builder.node("Add", scores, total)
        return scores
