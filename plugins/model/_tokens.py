"""The torch module of `ft_transformer`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from mlspec.sdk.contract import ModelInputs

from ._groups import Group
from ._network import Table


class Attention(nn.Module):
    """What every token takes from all tokens of its row: `[rows, tokens, width] float32`, kept."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.enter = nn.Linear(width, 3 * width)
        self.leave = nn.Linear(width, width)

    def cut(self) -> dict[str, Any]:
        """Return the layers that may be cut over devices: each has some heads."""
        return {"enter": ("outputs", 3), "leave": "inputs"}

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        rows, count, width = tokens.shape
        size = width // self.heads
        entered = self.enter(tokens)
        # Where the layer is cut, this device has some of the heads.
        heads = entered.shape[-1] // (3 * size)
        asked, keys, values = entered.view(rows, count, 3, heads, size).permute(2, 0, 3, 1, 4).unbind(0)
        shares = torch.softmax(asked @ keys.transpose(-1, -2) / math.sqrt(size), -1)
        shares = nn.functional.dropout(shares, self.dropout, self.training)
        found: torch.Tensor = self.leave((shares @ values).transpose(1, 2).flatten(2))
        return found


class Block(nn.Module):
    """Attention and a gated layer, each added to what it was given: `[rows, tokens, width] float32`, kept."""

    def __init__(
        self, width: int, heads: int, hidden: int, dropouts: tuple[float, float], first: bool
    ) -> None:
        super().__init__()
        self.before = nn.Identity() if first else nn.LayerNorm(width)
        self.attention = Attention(width, heads, dropouts[0])
        self.between = nn.LayerNorm(width)
        self.enter = nn.Linear(width, 2 * hidden)
        self.leave = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(dropouts[1])

    def cut(self) -> dict[str, Any]:
        """Return the layers that may be cut over devices: values and gates side by side."""
        return {"enter": ("outputs", 2), "leave": "inputs"}

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        tokens = tokens + self.attention(self.before(tokens))
        value, gate = self.enter(self.between(tokens)).chunk(2, -1)
        changed: torch.Tensor = tokens + self.leave(self.dropout(value * torch.relu(gate)))
        return changed


class Transformer(nn.Module):
    """Each column as a token, a token of the row beside them, and blocks over all of them.

    `forward([rows, numbers] float32, [rows, code columns] int64)` gives scores, `[rows, scores] float32`.
    """

    def __init__(
        self,
        inputs: ModelInputs,
        scores: int,
        tables: Sequence[Group],
        width: int,
        blocks: int,
        heads: int,
        hidden: int,
        dropouts: tuple[float, float],
    ) -> None:
        super().__init__()
        bound = 1 / math.sqrt(width)
        columns = inputs.numbers + len(inputs.sizes)

        def drawn(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound))

        self.numbers = drawn(inputs.numbers, width)
        self.tables = nn.ModuleList(Table(group, bound / math.sqrt(3)) for group in tables)
        self.bias = drawn(columns, width)
        self.row = drawn(1, width)
        self.blocks = nn.ModuleList(
            Block(width, heads, hidden, dropouts, first=place == 0) for place in range(blocks)
        )
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, scores)

    def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        parts = [numbers[:, :, None] * self.numbers, *(table(codes) for table in self.tables)]
        columns = torch.cat(parts, 1) + self.bias
        tokens = torch.cat([self.row.expand(len(numbers), 1, -1), columns], 1)
        for block in self.blocks:
            tokens = block(tokens)
        scores: torch.Tensor = self.leave(torch.relu(self.norm(tokens[:, 0])))
        return scores
