"""A residual network for tables, with an embedding for each category column."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field

from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.model import TorchModel

if TYPE_CHECKING:
    import torch

    from mlspec.engine.builder import Builder

    from ._groups import Group

PARTS = ("weight", "bias", "running_mean", "running_var")
EPSILON = 1e-5
"""Added to a variance before its root is taken: torch's default."""


class Resnet(TorchModel):
    """Blocks that each add to what they were given, with batch normalisation.

    Source: Gorishniy, Rubachev, Khrulkov and Babenko, "Revisiting Deep Learning Models for Tabular Data",
    NeurIPS 2021, section 3.2.
    """

    uses: ClassVar[frozenset[str]] = TorchModel.uses - {"accumulate"}

    width: int = Field(default=128, ge=1, le=65_536)
    """Numbers that go from block to block."""
    blocks: int = Field(default=2, ge=1, le=100)
    """How many."""
    hidden: int | None = Field(default=None, ge=1, le=65_536)
    """Width inside a block; twice `width` where absent."""
    hidden_dropout: float = Field(default=0.2, ge=0, lt=1)
    """Share (fraction 0-1) of a block's inner numbers that is left out while training."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share (fraction 0-1) of what a block adds that is left out while training."""
    max_embedding: int = Field(default=16, ge=1, le=4096)
    """Longest vector of a category's value; a column of n values gets half of n, this at most."""

    def cut_widths(self) -> Mapping[str, int]:
        """Return the width inside the blocks, which `tensor_parallel` cuts."""
        return {"hidden": self.hidden or 2 * self.width}

    def _groups(self, inputs: ModelInputs) -> tuple[Group, ...]:
        from ._groups import halves

        return halves(inputs.sizes, self.max_embedding)

    def module(self, inputs: ModelInputs, target: FittedTarget) -> torch.nn.Module:
        """Return the module."""
        from ._resnet import Resnet as Network

        return Network(
            inputs,
            target.width,
            self._groups(inputs),
            self.width,
            self.blocks,
            self.hidden or 2 * self.width,
            self.hidden_dropout,
            self.dropout,
        )

    def append(self, builder: Builder, folder: Path, inputs: ModelInputs, target: FittedTarget) -> str:
        """Append look-ups, then block after block, each normalisation as one product and one sum."""
        from safetensors.numpy import load_file

        from ._lookup import side_by_side

        weights = load_file(folder / "weights.safetensors")
        given = side_by_side(builder, self._groups(inputs), weights, inputs)
        value = _layer(builder, weights, "enter", given)
        for place in range(self.blocks):
            name = f"blocks.{place}"
            inner = _layer(
                builder, weights, f"{name}.first", _normal(builder, weights, f"{name}.norm", value)
            )
            added = _layer(builder, weights, f"{name}.second", builder.node("Relu", inner))
            value = builder.node("Add", value, added)
        last = builder.node("Relu", _normal(builder, weights, "norm", value))
        return _layer(builder, weights, "leave", last)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return a small one, and one with every option set."""
        return (
            cls.revive({"width": 16, "blocks": 1}),
            cls.revive(
                {"width": 12, "hidden": 20, "hidden_dropout": 0.1, "dropout": 0.05, "max_embedding": 4}
            ),
        )


def _layer(builder: Builder, weights: Mapping[str, Any], name: str, value: str) -> str:
    weight, bias = builder.constant(weights[f"{name}.weight"]), builder.constant(weights[f"{name}.bias"])
    return builder.node("Gemm", value, weight, bias, transB=1)


def _normal(builder: Builder, weights: Mapping[str, Any], name: str, value: str) -> str:
    import numpy as np

    kept = {part: weights[f"{name}.{part}"].astype(np.float64) for part in PARTS}
    scale = kept["weight"] / np.sqrt(kept["running_var"] + EPSILON)
    shift = kept["bias"] - kept["running_mean"] * scale
    scaled = builder.node("Mul", value, builder.constant(scale.astype(np.float32)))
    return builder.node("Add", scaled, builder.constant(shift.astype(np.float32)))
