"""Logistic regression, its form for several classes, and linear regression."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.model import TorchModel

if TYPE_CHECKING:
    import torch

    from mlspec.engine.builder import Builder


class Linear(TorchModel):
    """One weight a number and one a category's value: logistic regression, or linear regression."""

    as_query: ClassVar[bool] = True

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
