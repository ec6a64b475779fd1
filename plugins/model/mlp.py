"""A multi-layer perceptron with an embedding for each category column."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field

from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.model import TorchModel

if TYPE_CHECKING:
    import torch

    from mlspec.engine.builder import Builder

    from ._groups import Group


class Mlp(TorchModel):
    """Layers over numbers and embedded categories."""

    hidden: tuple[Annotated[int, Field(ge=1, le=65_536)], ...] = Field(default=(128, 128), max_length=64)
    """Width of each hidden layer, first to last; an empty list leaves one linear layer."""
    activation: Literal["relu", "gelu", "silu", "tanh"] = "relu"
    """What stands behind each hidden layer."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share (fraction 0-1) of each hidden layer's outputs that is left out while training."""
    max_embedding: int = Field(default=16, ge=1, le=4096)
    """Longest vector of a category's value; a column of n values gets half of n, this at most."""

    def cut_widths(self) -> Mapping[str, int]:
        """Return the widths of the layers that `tensor_parallel` cuts: every other one."""
        return {f"hidden.{place}": width for place, width in enumerate(self.hidden) if place % 2 == 0}

    def _groups(self, inputs: ModelInputs) -> tuple[Group, ...]:
        from ._groups import halves

        return halves(inputs.sizes, self.max_embedding)

    def module(self, inputs: ModelInputs, target: FittedTarget) -> torch.nn.Module:
        """Return the module."""
        from ._network import Mlp as Network

        return Network(inputs, target.width, self._groups(inputs), self.hidden, self.activation, self.dropout)

    def append(self, builder: Builder, folder: Path, inputs: ModelInputs, target: FittedTarget) -> str:
        """Append look-ups, then a product and an activation a layer."""
        from safetensors.numpy import load_file

        from ._lookup import side_by_side

        weights = load_file(folder / "weights.safetensors")
        value = side_by_side(builder, self._groups(inputs), weights, inputs)
        names = sorted(
            (name for name in weights if name.endswith(".weight") and name.startswith("layers.")), key=_place
        )
        for name in names:
            bias = builder.constant(weights[name.replace(".weight", ".bias")])
            value = builder.node("Gemm", value, builder.constant(weights[name]), bias, transB=1)
            if name != names[-1]:
                value = self._activate(builder, value)
        return value

    def _activate(self, builder: Builder, value: str) -> str:
        if self.activation == "silu":
            return builder.node("Mul", value, builder.node("Sigmoid", value))
        return builder.node({"relu": "Relu", "gelu": "Gelu", "tanh": "Tanh"}[self.activation], value)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one of each activation, with and without dropout and hidden layers."""
        return (
            cls.revive({"hidden": [16, 8], "dropout": 0.1, "max_embedding": 3}),
            cls.revive({"hidden": [16], "activation": "gelu"}),
            cls.revive({"hidden": [16], "activation": "silu"}),
            cls.revive({"hidden": [16], "activation": "tanh"}),
            cls.revive({"hidden": []}),
        )


def _place(name: str) -> int:
    return int(name.split(".")[1])
