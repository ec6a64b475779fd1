"""Rows of many small requests, put together for whoever looks at them later."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from mlspec.engine.serving.json_column import json_column
from mlspec.sdk.contract import Contract


class Gathered:
    """Takes rows as they came in JSON, value by value into columns; one batch comes out.

    A batch of its own for each row would cost a service more than all that a sketch does with it.

    Args:
        contract: Of the model that answered the rows: each was found to be right.

    Example:
        >>> from mlspec.sdk.contract import FittedTarget, InputColumn
        >>> age = InputColumn(name="age", kind="number", tensor="float64", type="number")
        >>> target = FittedTarget(column="y", kind="number")
        >>> rows = Gathered(Contract(name="a", target=target, inputs=(age,), outputs=()))
        >>> rows.add([{"age": 39}])
        >>> rows.add([{"age": None}])
        >>> rows.batch().column("age").to_pylist()
        [39.0, None]
    """

    def __init__(self, contract: Contract) -> None:
        self._columns = contract.inputs
        self._values: list[Any] = [
            array("d") if column.type == "number" else [] for column in contract.inputs
        ]
        names = [column.name for column in contract.inputs]
        self._appends = [(name, values.append) for name, values in zip(names, self._values, strict=True)]

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take some more rows."""
        for row in rows:
            for name, append in self._appends:
                try:
                    append(row[name])
                except TypeError:
                    append(math.nan)  # null, in a column of doubles

    def batch(self) -> pa.RecordBatch:
        """Return all rows that were taken, in their order."""
        arrays = [
            pa.array(np.frombuffer(values), from_pandas=True)
            if isinstance(values, array)
            else json_column(values, column, most=1)[0]
            for values, column in zip(self._values, self._columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, names=[column.name for column in self._columns])
