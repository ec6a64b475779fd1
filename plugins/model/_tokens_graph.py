"""The nodes of `ft_transformer`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.builder import CODES, NUMBERS, Builder
from mlspec.sdk.contract import ModelInputs

from ._groups import Group
from ._lookup import lookup


def append_tokens(
    builder: Builder,
    weights: Mapping[str, NDArray[Any]],
    tables: Sequence[Group],
    inputs: ModelInputs,
    blocks: int,
    heads: int,
) -> str:
    """Append the whole network and return the name of its scores tensor.

    Args:
        builder: Holds `mlspec/numbers` and `mlspec/codes`.
        weights: What the torch module learnt, by its names.
        tables: Which columns share a table.
        inputs: Shape of encoded rows.
        blocks: How many.
        heads: Parts that a token is cut into.
    """
    writer = _Writer(builder, weights, heads)
    tokens = writer.tokens(tables, inputs)
    for place in range(blocks):
        tokens = writer.block(f"blocks.{place}", tokens, first=place == 0)
    # Only the token of the row is read.
    row = builder.node("Gather", tokens, builder.constant(0, "int64"), axis=1)
    last = builder.node("Relu", writer.normal("norm", row))
    return builder.node(
        "Add", builder.node("MatMul", last, writer.turned("leave")), writer.known("leave.bias")
    )


@dataclass(frozen=True)
class _Writer:
    builder: Builder
    weights: Mapping[str, NDArray[Any]]
    heads: int

    @property
    def width(self) -> int:
        return int(self.weights["row"].shape[1])

    def known(self, name: str) -> str:
        return self.builder.constant(self.weights[name])

    def turned(self, name: str) -> str:
        return self.builder.constant(np.ascontiguousarray(self.weights[f"{name}.weight"].T))

    def shaped(self, value: str, *shape: int) -> str:
        return self.builder.node("Reshape", value, self.builder.constant(list(shape), "int64"))

    def layer(self, name: str, value: str) -> str:
        product = self.builder.node("MatMul", value, self.turned(name))
        return self.builder.node("Add", product, self.known(f"{name}.bias"))

    def normal(self, name: str, value: str) -> str:
        scale, shift = self.known(f"{name}.weight"), self.known(f"{name}.bias")
        return self.builder.node("LayerNormalization", value, scale, shift, axis=-1, epsilon=1e-5)

    def tokens(self, tables: Sequence[Group], inputs: ModelInputs) -> str:
        builder = self.builder
        parts = []
        if inputs.numbers:
            tall = builder.node("Unsqueeze", NUMBERS, builder.constant([2], "int64"))
            parts.append(builder.node("Mul", tall, self.known("numbers")))
        for place, group in enumerate(tables):
            parts.append(lookup(builder, group, self.weights[f"tables.{place}.weight"], len(inputs.sizes)))
        columns = builder.node("Concat", *parts, axis=1) if len(parts) > 1 else parts[0]
        columns = builder.node("Add", columns, self.known("bias"))
        rows = builder.node("Shape", NUMBERS if inputs.numbers else CODES, start=0, end=1)
        shape = builder.node("Concat", rows, builder.constant([1, self.width], "int64"), axis=0)
        own = builder.node("Expand", self.known("row"), shape)
        return builder.node("Concat", own, columns, axis=1)

    def block(self, name: str, tokens: str, first: bool) -> str:
        builder = self.builder
        given = tokens if first else self.normal(f"{name}.before", tokens)
        tokens = builder.node("Add", tokens, self.attention(f"{name}.attention", given))
        both = self.layer(f"{name}.enter", self.normal(f"{name}.between", tokens))
        value, gate = builder.nodes("Split", both, outputs=2, axis=-1, num_outputs=2)
        passed = builder.node("Mul", value, builder.node("Relu", gate))
        return builder.node("Add", tokens, self.layer(f"{name}.leave", passed))

    def attention(self, name: str, tokens: str) -> str:
        builder, part = self.builder, self.width // self.heads
        all_three = builder.nodes(
            "Split", self.layer(f"{name}.enter", tokens), outputs=3, axis=-1, num_outputs=3
        )
        asked, keys, values = (self.shaped(one, 0, 0, self.heads, part) for one in all_three)
        asked = builder.node("Transpose", asked, perm=[0, 2, 1, 3])
        keys = builder.node("Transpose", keys, perm=[0, 2, 3, 1])
        values = builder.node("Transpose", values, perm=[0, 2, 1, 3])
        root = builder.constant(np.array(np.sqrt(part), np.float32))
        shares = builder.node(
            "Softmax", builder.node("Div", builder.node("MatMul", asked, keys), root), axis=-1
        )
        found = builder.node("Transpose", builder.node("MatMul", shares, values), perm=[0, 2, 1, 3])
        return self.layer(f"{name}.leave", self.shaped(found, 0, 0, self.width))
