"""The torch module of `resnet`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from mlspec.sdk.contract import ModelInputs

from ._groups import Group
from ._network import START, Table, beside, row_width


class Normal(nn.BatchNorm1d):
    """Batch normalisation of `[rows, width] float32`; one row alone is taken by the batches before it."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if self.training and input.shape[0] > 1:
            return super().forward(input)
        return nn.functional.batch_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps
        )


class Block(nn.Module):
    """A block with what it was given: `[rows, width] float32` to the same shape."""

    def __init__(self, width: int, hidden: int, hidden_dropout: float, dropout: float) -> None:
        super().__init__()
        self.norm = Normal(width)
        self.first = nn.Linear(width, hidden)
        self.second = nn.Linear(hidden, width)
        self.hidden_dropout, self.dropout = nn.Dropout(hidden_dropout), nn.Dropout(dropout)

    def cut(self) -> dict[str, str]:
        """Return the layers that may be cut over devices."""
        return {"first": "outputs", "second": "inputs"}

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        inner = self.hidden_dropout(torch.relu(self.first(self.norm(value))))
        sum_: torch.Tensor = value + self.dropout(self.second(inner))
        return sum_


class Resnet(nn.Module):
    """Numbers and vectors of codes side by side, through one layer and then block after block.

    `forward([rows, numbers] float32, [rows, code columns] int64)` gives scores, `[rows, scores] float32`.
    """

    def __init__(
        self,
        inputs: ModelInputs,
        scores: int,
        tables: Sequence[Group],
        width: int,
        blocks: int,
        hidden: int,
        hidden_dropout: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.tables = nn.ModuleList(Table(group, START) for group in tables)
        self.enter = nn.Linear(row_width(inputs, tables), width)
        self.blocks = nn.ModuleList(Block(width, hidden, hidden_dropout, dropout) for _ in range(blocks))
        self.norm = Normal(width)
        self.leave = nn.Linear(width, scores)

    def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        value = self.enter(beside(numbers, codes, self.tables))
        for block in self.blocks:
            value = block(value)
        scores: torch.Tensor = self.leave(torch.relu(self.norm(value)))
        return scores
