"""From the JSON values of one column to Arrow. What a type in JSON means is settled here."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from mlspec.engine.door import BIGGEST, BadValue
from mlspec.engine.zone import zone
from mlspec.sdk.contract import InputColumn

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


def json_column(values: list[Any], column: InputColumn, most: int) -> tuple[pa.Array, list[BadValue]]:
    """Return the values of one column, typed as the contract says, and those that may not pass.

    Args:
        values: What `strict_json` gave; null is always legal.
        column: Which column it is.
        most: Faults after which the rest is not looked at.

    Returns:
        The array, null where a value may not pass, and the faults by row.

    Example:
        >>> age = InputColumn(name="age", kind="number", tensor="float64", type="number")
        >>> array, faults = json_column([39, "x"], age, most=9)
        >>> array.to_pylist(), faults[0].reason
        ([39.0, None], 'text where a number is expected')
    """
    made = _floats(values) if column.type == "number" else None
    if made is not None:
        return made, []
    converted, bad = _convert(values, column, most)
    return _array(converted, column), bad


def in_words(value: Any) -> str:
    """Return what a value is in JSON."""
    return _JSON_WORDS.get(type(value), "a value")


def _floats(values: Sequence[Any]) -> pa.Array | None:
    """Return values as a column where they are all finite floats, as most are; None where they are not.

    One row has many columns: this way costs a fifth of what `pa.array` takes for each.
    """
    if set(map(type, values)) != {float}:
        return None
    numbers = array("d", values)
    if not (math.isfinite(values[0]) if len(values) == 1 else np.isfinite(numbers).all()):
        return None
    return pa.Array.from_buffers(pa.float64(), len(values), [None, pa.py_buffer(numbers)], 0)


def _convert(values: list[Any], column: InputColumn, most: int) -> tuple[list[Any], list[BadValue]]:
    convert = _converter(column)
    converted: list[Any] = []
    bad: list[BadValue] = []
    for index, value in enumerate(values):
        if value is not None:
            try:
                value = convert(value)
            except _Refused as error:
                value = None
                bad.append(BadValue(index, column.name, str(error)))
                if len(bad) >= most:
                    break
        converted.append(value)
    return converted, bad


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
    return pa.array(values, pa.float64())


def _number(value: Any) -> float:
    if type(value) is float:
        if math.isfinite(value):
            return value
        raise _Refused("NaN is no number" if math.isnan(value) else "infinity is no number")
    if type(value) is int:
        return float(_exact(value))
    raise _Refused(f"{in_words(value)} where a number is expected")


def _integer(value: Any) -> int:
    if type(value) is int:
        return _exact(value)
    if type(value) is float:
        raise _Refused("a number with a fraction, or beyond 2^53, where an integer is expected")
    raise _Refused(f"{in_words(value)} where an integer is expected")


def _exact(value: int) -> int:
    if abs(value) > BIGGEST:
        raise _Refused("an integer beyond 2^53 loses digits as a number")
    return value


def _boolean(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise _Refused(f"{in_words(value)} where true or false is expected")


def _text(value: Any) -> str:
    if type(value) is not str:
        raise _Refused(f"{in_words(value)} where text is expected")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _Refused("text with a lone surrogate") from None
    return value


def _milliseconds(value: Any, zone_name: str | None) -> int:
    if type(value) is not str:
        raise _Refused(f"{in_words(value)} where a time such as 2030-01-31T12:00:00Z is expected")
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
