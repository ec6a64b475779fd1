"""From strict JSON rows to Arrow: here the shape of rows, in `json_column` values, at the door the rest."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from mlspec.engine.door import BadRows, BadValue, read
from mlspec.engine.serving.json_column import in_words, json_column
from mlspec.sdk.contract import Contract, InputColumn

MOST_FAULTS = 1_000
"""Faults that are gathered before the rest of a request is given up."""


def to_batch(rows: Sequence[Any], contract: Contract) -> pa.RecordBatch:
    """Return JSON rows as one batch, each column typed as the contract says; null is always legal.

    Args:
        rows: What `strict_json` gave: objects with exactly the contract's columns, in any order.
        contract: Of the model that is to answer.

    Raises:
        BadRows: a row is no object, lacks a column or has an unknown one, or a value is not of its column's
            type or may not pass the door; up to `MOST_FAULTS` of them, by row and column.

    Example:
        >>> from mlspec.sdk.contract import FittedTarget
        >>> age = InputColumn(name="age", kind="number", tensor="float64", type="number")
        >>> target = FittedTarget(column="y", kind="number")
        >>> known = Contract(name="a", target=target, inputs=(age,), outputs=())
        >>> to_batch([{"age": 39}, {"age": None}], known).column("age").to_pylist()
        [39.0, None]
    """
    bad = _misshapen(rows, contract.inputs)
    arrays = []
    for column in contract.inputs:
        values = [row.get(column.name) if type(row) is dict else None for row in rows]
        made, faults = json_column(values, column, MOST_FAULTS - len(bad))
        bad.extend(faults)
        if len(bad) >= MOST_FAULTS:
            raise BadRows(_in_order(bad[:MOST_FAULTS]))
        arrays.append(made)
    batch = pa.RecordBatch.from_arrays(arrays, names=[column.name for column in contract.inputs])
    if bad:
        raise BadRows(_in_order(bad + _at_the_door(batch, contract.inputs)))
    return batch


def _misshapen(rows: Sequence[Any], inputs: Sequence[InputColumn]) -> list[BadValue]:
    names = {column.name for column in inputs}
    bad: list[BadValue] = []
    for index, row in enumerate(rows):
        if type(row) is not dict:
            bad.append(BadValue(index, "", f"{in_words(row)} where an object with the columns is expected"))
        elif row.keys() != names:
            bad.extend(BadValue(index, name, "the column is missing") for name in names - row.keys())
            bad.extend(BadValue(index, name, _unknown(name, names)) for name in row.keys() - names)
        if len(bad) >= MOST_FAULTS:
            raise BadRows(_in_order(bad[:MOST_FAULTS]))
    return bad


def _unknown(name: str, names: set[str]) -> str:
    near = difflib.get_close_matches(name, names, 1) if len(name) <= 100 else []
    return "the model knows no such column" + (f"; did you mean '{near[0]}'?" if near else "")


def _in_order(bad: Sequence[BadValue]) -> list[BadValue]:
    return sorted(bad, key=lambda value: (-1 if value.row is None else value.row, value.column))


def _at_the_door(batch: pa.RecordBatch, inputs: Sequence[InputColumn]) -> list[BadValue]:
    """Return what the door refuses besides, so that every fault is told at once."""
    try:
        read(batch, inputs)
    except BadRows as error:
        return list(error.values)
    return []
