"""Logistic regression, its form for several classes, and linear regression."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from mlspec.sdk.contract import FittedTarget, ModelInputs, TargetKind
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.model import TorchModel

if TYPE_CHECKING:
    import torch

    from mlspec.engine.builder import Builder


class Linear(TorchModel):
    """One weight a number and one a category's value: logistic regression, or linear regression."""

    as_query: ClassVar[bool] = True

    solver: Literal["gradient", "normal_equations"] = "gradient"
    """`gradient`: in epochs, by `training.optimizer`. `normal_equations`: least squares for a number target,
    exactly and at once, from sums that one SQL query makes over the training rows."""
    ridge: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """With `normal_equations`: how strongly weights of scaled numbers and of values are pulled towards zero
    (scikit-learn's `alpha`)."""

    @model_validator(mode="after")
    def _ridge_is_used(self) -> Self:
        if self.ridge and self.solver == "gradient":
            raise ValueError("expected ridge beside solver: normal_equations; an optimizer has weight_decay")
        return self

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return the usual one."""
        return (cls.revive({}),)

    def obeys(self) -> frozenset[str]:
        """Return nothing where there are no epochs."""
        return frozenset() if self.at_once() else type(self).uses

    def targets(self) -> tuple[TargetKind, ...]:
        """Return numbers alone where the equations are solved: least squares gives no probabilities."""
        return ("number",) if self.at_once() else super().targets()

    def at_once(self) -> bool:
        """Return whether the equations are solved."""
        return self.solver == "normal_equations"

    def solve(self, rows: Encoded, inputs: ModelInputs, target: FittedTarget) -> torch.nn.Module:
        """Return the module of least squares; values that no row had weigh the mean of the others."""
        import numpy as np
        import torch

        from mlspec.engine.training.normal_equations import normal_equations

        from ._groups import groups

        constant, found = normal_equations(rows, inputs, target, self.ridge)
        module = self.module(inputs, target)
        first = np.concatenate([[0], np.cumsum(inputs.sizes)]).astype(int) + inputs.numbers
        state = {
            "bias": np.array([constant]),
            "numbers": found[None, : inputs.numbers],
            **{
                f"tables.{place}.weight": np.concatenate(
                    [found[first[column] : first[column + 1]] for column in group.columns]
                )[:, None]
                for place, group in enumerate(groups(inputs.sizes, lambda size: target.width))
            },
        }
        module.load_state_dict({name: torch.from_numpy(value).float() for name, value in state.items()})
        counts = [np.bincount(rows.codes[:, at], minlength=size) for at, size in enumerate(inputs.sizes)]
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
