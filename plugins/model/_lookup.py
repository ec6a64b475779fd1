"""The look-up of vectors in a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.builder import CODES, NUMBERS, Builder
from mlspec.sdk.contract import ModelInputs

from ._groups import Group


def lookup(builder: Builder, group: Group, table: NDArray[Any], columns: int) -> str:
    """Append the look-up of a group's columns and return the name of `[rows, columns of the group, width]`.

    Args:
        builder: Holds `mlspec/codes`.
        group: Which columns share the table.
        table: `[rows of the table, width]`.
        columns: Number of all code columns.
    """
    codes = CODES
    if len(group.columns) != columns:
        codes = builder.node("Gather", codes, builder.constant(np.array(group.columns, np.int64)), axis=1)
    if any(group.offsets):
        codes = builder.node("Add", codes, builder.constant(np.array(group.offsets, np.int64)))
    return builder.node("Gather", builder.constant(table), codes, axis=0)


def side_by_side(
    builder: Builder, tables: Sequence[Group], weights: Mapping[str, NDArray[Any]], inputs: ModelInputs
) -> str:
    """Append the look-ups of all groups and return the name of `[rows, numbers and vectors] float32`.

    Args:
        builder: Holds `mlspec/numbers` and `mlspec/codes`.
        tables: The groups.
        weights: Their tables, as `tables.<place>.weight`.
        inputs: Shape of encoded rows.
    """
    parts = [NUMBERS] if inputs.numbers else []
    for place, group in enumerate(tables):
        found = lookup(builder, group, weights[f"tables.{place}.weight"], len(inputs.sizes))
        shape = builder.constant([-1, group.width * len(group.columns)], "int64")
        parts.append(builder.node("Reshape", found, shape))
    return builder.node("Concat", *parts, axis=1) if len(parts) > 1 else parts[0]
