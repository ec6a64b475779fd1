"""The look-up of vectors in a graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.builder import CODES, Builder

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
