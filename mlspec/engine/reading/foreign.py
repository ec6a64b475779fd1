"""Values of a driver that knows more types than DuckDB takes over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa


def taken(kind: pa.DataType, by_rows: bool) -> pa.DataType:
    """Return the type in which a column is taken over.

    Args:
        kind: The type that it is said to have; a decimal number that is longer than DuckDB's becomes text.
        by_rows: Whether its values come as Python's: times of a day may be longer than one, and become text,
            and years may be called whole numbers of one byte.

    Example:
        >>> taken(pa.decimal256(65, 30), True)
        DataType(string)
    """
    if pa.types.is_decimal256(kind) or (by_rows and pa.types.is_time(kind)):
        return pa.string()
    if isinstance(kind, pa.BaseExtensionType) and not isinstance(kind, pa.UuidType):
        return kind.storage_type
    return pa.int32() if by_rows and kind in (pa.uint8(), pa.int8(), pa.int16()) else kind


def as_taken(column: pa.Array | Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return values as an array of a type.

    Args:
        column: An array, or Python's values with None for nulls.
        kind: What `taken` said.

    Raises:
        ArrowException, TypeError, ValueError, OverflowError: a value has no place in it.
    """
    if isinstance(column, pa.Array):
        if pa.types.is_decimal256(column.type):
            return pa.array(map(_text, column.to_pylist()), kind)
        stored = column.storage if isinstance(column.type, pa.BaseExtensionType) else column
        return column if column.type == kind else stored if stored.type == kind else stored.cast(kind)
    if isinstance(kind, pa.UuidType):
        return pa.array([value if value is None else UUID(str(value)).bytes for value in column], kind)
    if pa.types.is_integer(kind):
        # Bits come as bytes.
        column = [int.from_bytes(value) if isinstance(value, bytes) else value for value in column]
    return pa.array(map(_text, column) if pa.types.is_string(kind) else column, kind)


def _text(value: Any) -> Any:
    """Return a number or a span of time as a server writes it; other values as they are."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if not isinstance(value, timedelta):
        return value
    seconds, rest = divmod(abs(value), timedelta(seconds=1))
    sign, micros = "-" if value < timedelta() else "", rest.microseconds
    hours = f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{hours}.{micros:06}" if micros else hours
