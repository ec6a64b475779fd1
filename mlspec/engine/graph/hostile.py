"""Rows that are legal and still the worst of their kind, for the parity gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from mlspec.engine.graph.blocks import spellings
from mlspec.engine.zone import zone
from mlspec.sdk.contract import InputColumn

NUMBERS = (
    float("nan"), 0.0, -0.0, 1.0, -1.0, 0.1, 5e-324, -5e-324, 2.2250738585072014e-308, 1e-300,
    2.0**53, -(2.0**53), 2.0**53 + 2, 1e15, 3.4e38, 3.5e38, -3.5e38, 1e300, 1e308, -1e308,
    1.7976931348623157e308, -1.7976931348623157e308,
)  # fmt: skip
"""Numbers at the edges of float64 and float32; infinity is refused at the door."""
TEXTS = (
    "", " ", "  a", "a ", "\t", "\n", "NaN", "nan", "null", "NULL", "None", "NA", "0", "-0", "1e5", "true",
    "False", "caf\u00e9", "cafe\u0301", "\u1e9b\u0323", "\ufb01", "\u00df", "\u0130", "\u4e2d\u6587",
    "\u05d0\u05d1", "\u200b", "\ufeff", "\ufffd",
    "\ufdd1", "\U0001f600", "\U00010348", "a\u0301\u0323", "\u212b", "\u1100\u1161",
    "'; DROP TABLE rows; --", "${jndi:x}", "a,b\"c",
)  # fmt: skip
INTEGERS = (
    "0",
    "-1",
    "1",
    "9007199254740993",
    "-9223372036854775808",
    "170141183460469231731687303715884105728",
)
MOMENTS = (
    "0001-01-01T00:00:00", "1582-10-15T00:00:00", "1677-09-21T00:12:43.145", "1899-12-31T23:59:59.999",
    "1900-02-28T23:59:59.999", "1900-03-01T00:00:00", "1969-12-31T23:59:59.999", "1970-01-01T00:00:00",
    "2000-02-29T12:00:00", "2023-03-26T01:00:00", "2023-10-29T01:00:00", "2024-02-29T00:00:00",
    "2024-12-31T23:59:59.999", "2038-01-19T03:14:08", "2100-02-28T23:59:59.999", "2262-04-11T23:47:16.854",
    "9999-12-31T23:59:59.999",
)  # fmt: skip
LONG = 2**20
"""Characters of the longest text."""


def hostile_rows(inputs: Sequence[InputColumn], known: Mapping[str, Sequence[str]]) -> pa.RecordBatch:
    """Return the same rows every time: each column goes through its worst values; row 0 is all null.

    Args:
        inputs: What the model takes.
        known: Values of text columns that training knew; their other spellings are tried.

    Returns:
        Columns of float64, text and `timestamp[ms, UTC]`, as `rows/parity.parquet` holds them.
    """
    texts = [item.name for item in inputs if item.tensor == "string" and item.type == "string"]
    values = {item.name: _values(item, known.get(item.name, ()), item.name in texts[:1]) for item in inputs}
    rows = 1 + max((len(found) for found in values.values()), default=0)
    columns = {
        item.name: pa.array([None, *_cycled(values[item.name], rows - 1, shift=7 * place)], _arrow(item))
        for place, item in enumerate(inputs)
    }
    return pa.RecordBatch.from_pydict(columns)


def _cycled(values: Sequence[Any], rows: int, shift: int) -> list[Any]:
    return [values[(row + shift) % len(values)] for row in range(rows)]


def _arrow(item: InputColumn) -> pa.DataType:
    if item.tensor == "string":
        return pa.string()
    return pa.timestamp("ms", "UTC") if item.type == "datetime" else pa.float64()


def _values(item: InputColumn, known: Sequence[str], longest: bool) -> Sequence[Any]:
    if item.tensor == "float64":
        return (None, *NUMBERS) if item.type != "datetime" else (None, *_moments(item.timezone))
    some = tuple(known[:50])
    if item.type == "integer":
        return (None, *INTEGERS, *some)
    if item.type == "boolean":
        return (None, "true", "false")
    varied = [
        form
        for value in some
        for form in (
            value,
            *spellings(value),
            value.upper(),
            value.lower(),
            f"{value} ",
            f" {value}",
            value[:-1],
        )
    ]
    return tuple(dict.fromkeys((None, *TEXTS, *varied, "x" * (LONG if longest else 10_000))))


def _moments(timezone: str | None) -> list[datetime]:
    """Return the edges of the calendar, and the edges of the zone's last changes to 2038."""
    found = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in MOMENTS]
    if timezone is not None:
        start = datetime(1970, 1, 1, tzinfo=UTC)
        changes = [
            start + timedelta(milliseconds=at) for at in zone(timezone).starts if at < 2_147_483_648_000
        ][-8:]
        found += [
            at + timedelta(milliseconds=step) for at in changes for step in (-1, 0, 1, 1_800_000, -1_800_000)
        ]
    return found
