"""From strict JSON rows to Arrow. What a type in JSON means is settled here; the rest is the door's."""

from __future__ import annotations

import difflib
import math
import re
from array import array
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from mlspec.engine.door import BIGGEST, BadRows, BadValue, read
from mlspec.engine.zone import zone
from mlspec.sdk.contract import Contract, InputColumn

MOST_FAULTS = 1_000
"""Faults that are gathered before the rest of a request is given up."""
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,12})?([Zz]|[+-][0-9]{2}:[0-9]{2})?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_JSON_WORDS = {
    bool: "true or false", int: "a number", float: "a number", str: "text", type(None): "null",
    list: "a list", dict: "an object",
}  # fmt: skip


class _Refused(ValueError):
    """Why one value may not pass."""


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
        values: list[Any] = []
        convert = _converter(column)
        name = column.name
        for index, row in enumerate(rows):
            value = row.get(name) if type(row) is dict else None
            if value is not None:
                try:
                    value = convert(value)
                except _Refused as error:
                    bad.append(BadValue(index, name, str(error)))
                    value = None
                    if len(bad) >= MOST_FAULTS:
                        break
            values.append(value)
        if len(bad) >= MOST_FAULTS:
            raise BadRows(_in_order(bad[:MOST_FAULTS]))
        arrays.append(_array(values, column))
    batch = pa.RecordBatch.from_arrays(arrays, names=[column.name for column in contract.inputs])
    if bad:
        raise BadRows(_in_order(bad + _at_the_door(batch, contract.inputs)))
    return batch


def _misshapen(rows: Sequence[Any], inputs: Sequence[InputColumn]) -> list[BadValue]:
    names = {column.name for column in inputs}
    bad: list[BadValue] = []
    for index, row in enumerate(rows):
        if type(row) is not dict:
            bad.append(BadValue(index, "", f"{_word(row)} where an object with the columns is expected"))
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


def _word(value: Any) -> str:
    return _JSON_WORDS.get(type(value), "a value")


def _converter(column: InputColumn) -> Callable[[Any], Any]:
    if column.type == "datetime":
        return lambda value: _milliseconds(value, column.timezone)
    if column.type == "boolean":
        return _boolean
    if column.type == "string":
        return _text
    return _integer if column.tensor == "string" else _number


def _array(values: list[Any], column: InputColumn) -> pa.Array:
    if column.type == "datetime":
        return pa.array(values, pa.int64()).cast(pa.timestamp("ms", "UTC"))
    if column.type == "boolean":
        return pa.array(values, pa.bool_())
    if column.type == "string":
        return pa.array(values, pa.string())
    if column.tensor == "string":
        return pa.array(values, pa.int64())
    if None in values:
        return pa.array(values, pa.float64())
    # One row has many columns: this way costs a fifth of what `pa.array` takes for each.
    return pa.Array.from_buffers(pa.float64(), len(values), [None, pa.py_buffer(array("d", values))], 0)


def _number(value: Any) -> float:
    if type(value) is float:
        if math.isfinite(value):
            return value
        raise _Refused("NaN is no number" if math.isnan(value) else "infinity is no number")
    if type(value) is int:
        return float(_exact(value))
    raise _Refused(f"{_word(value)} where a number is expected")


def _integer(value: Any) -> int:
    if type(value) is int:
        return _exact(value)
    if type(value) is float:
        raise _Refused("a number with a fraction, or beyond 2^53, where an integer is expected")
    raise _Refused(f"{_word(value)} where an integer is expected")


def _exact(value: int) -> int:
    if abs(value) > BIGGEST:
        raise _Refused("an integer beyond 2^53 loses digits as a number")
    return value


def _boolean(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise _Refused(f"{_word(value)} where true or false is expected")


def _text(value: Any) -> str:
    if type(value) is not str:
        raise _Refused(f"{_word(value)} where text is expected")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _Refused("text with a lone surrogate") from None
    return value


def _milliseconds(value: Any, zone_name: str | None) -> int:
    if type(value) is not str:
        raise _Refused(f"{_word(value)} where a time such as 2030-01-31T12:00:00Z is expected")
    match = _TIME.fullmatch(value) if len(value) <= 50 else None
    if match is None:
        raise _Refused("a time is written such as 2030-01-31T12:00:00Z (RFC 3339)")
    day, clock, fraction, offset = match.groups()
    try:
        local = datetime.fromisoformat(f"{day}T{clock or '00:00:00'}").replace(tzinfo=UTC)
        whole = (local - _EPOCH) // timedelta(milliseconds=1)
        if offset is None:
            if zone_name is None:
                raise _Refused("a time without a zone")
            shift = whole - int(zone(zone_name).to_utc(np.array([whole], np.float64))[0])
        else:
            shift = _offset(offset)
    except _Refused:
        raise
    except ValueError as error:
        raise _Refused(f"there is no such time: {error}") from None
    return whole - shift + int((fraction or ".0")[1:4].ljust(3, "0"))


def _offset(text: str) -> int:
    """Return the milliseconds that a zone such as `+02:00` is ahead of UTC."""
    if text in ("Z", "z"):
        return 0
    hours, minutes = int(text[1:3]), int(text[4:6])
    if hours > 23 or minutes > 59:
        raise _Refused(f"there is no zone '{text}'")
    return (1 if text[0] == "+" else -1) * (hours * 60 + minutes) * 60_000
