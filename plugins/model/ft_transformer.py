"""A transformer for tables: every column is a token."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field, model_validator

from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.model import TorchModel

if TYPE_CHECKING:
    import torch

    from mlspec.engine.builder import Builder

    from ._groups import Group


class FtTransformer(TorchModel):
    """Tokens of columns look at one another, block after block, and the token of the row answers.

    It takes many times as long as `mlp`: its work grows with the square of the columns.

    Source: Gorishniy, Rubachev, Khrulkov and Babenko, "Revisiting Deep Learning Models for Tabular Data",
    NeurIPS 2021, section 3.3 and its default configuration.
    """

    uses: ClassVar[frozenset[str]] = TorchModel.uses | {"activation_checkpointing"}

    width: int = Field(default=192, ge=1, le=16_384)
    """Numbers of a token; a multiple of `heads`."""
    blocks: int = Field(default=3, ge=1, le=100)
    """How many."""
    heads: int = Field(default=8, ge=1, le=256)
    """Into how many parts a token is cut, each of which looks at the others for itself."""
    hidden: int | None = Field(default=None, ge=1, le=65_536)
    """Width of the gated layer inside a block; four thirds of `width` where absent."""
    attention_dropout: float = Field(default=0.2, ge=0, lt=1)
    """Share (fraction 0-1) of the attention that is left out while training."""
    hidden_dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share (fraction 0-1) of the gated layer's numbers that is left out while training."""

    @model_validator(mode="after")
    def _even_parts(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} cannot be cut into {self.heads} heads of one size")
        return self

    def cut_widths(self) -> Mapping[str, int]:
        """Return the heads and the width of the gated layers, which `tensor_parallel` cuts."""
        return {"heads": self.heads, "hidden": self._hidden}

    @property
    def _hidden(self) -> int:
        return self.hidden or max(1, self.width * 4 // 3)

    def _groups(self, inputs: ModelInputs) -> tuple[Group, ...]:
        from ._groups import groups

        return groups(inputs.sizes, lambda size: self.width)

    def module(self, inputs: ModelInputs, target: FittedTarget) -> torch.nn.Module:
        """Return the module."""
        from ._tokens import Transformer

        return Transformer(
            inputs,
            target.width,
            self._groups(inputs),
            self.width,
            self.blocks,
            self.heads,
            self._hidden,
            (self.attention_dropout, self.hidden_dropout),
        )

    def append(self, builder: Builder, folder: Path, inputs: ModelInputs, target: FittedTarget) -> str:
        """Append look-ups, and then block after block."""
        from safetensors.numpy import load_file

        from ._tokens_graph import append_tokens

        weights = load_file(folder / "weights.safetensors")
        return append_tokens(builder, weights, self._groups(inputs), inputs, self.blocks, self.heads)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return a small one, and one with every option set."""
        return (
            cls.revive({"width": 16, "blocks": 1, "heads": 4}),
            cls.revive(
                {
                    "width": 12,
                    "blocks": 2,
                    "heads": 2,
                    "hidden": 10,
                    "attention_dropout": 0.0,
                    "hidden_dropout": 0.0,
                }
            ),
        )
