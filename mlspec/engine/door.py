"""The one door of the house: from Arrow to the tensors that a feature graph takes. Nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mlspec.engine.zone import zone
from mlspec.errors import MlspecError
from mlspec.sdk.contract import NULL, InputColumn, JsonType

BIGGEST = 2**53
"""Largest whole number of float64 below which every other one is exact, too."""
_FLOAT64 = pa.float64()
_UNIT = {"s": (1000, 1), "ms": (1, 1), "us": (1, 1000), "ns": (1, 1_000_000)}
_WANTED: dict[JsonType, str] = {
    "string": "text",
    "integer": "an integer",
    "boolean": "true or false",
    "number": "a number",
    "datetime": "a time",
}


@dataclass(frozen=True)
class BadValue:
    """One value, or one whole column, that may not pass."""

    row: int | None
    """0-based place in the batch; None where the column as a whole is wrong."""
    column: str
    reason: str


class BadRows(MlspecError):
    """Rows that the door refuses; `values` names every refused one, column after column."""

    def __init__(self, values: Sequence[BadValue]) -> None:
        self.values = tuple(values)
        first = self.values[0]
        more = f" (and {len(self.values) - 1} more)" if len(self.values) > 1 else ""
        where = f"column '{first.column}'" + ("" if first.row is None else f", row {first.row}")
        super().__init__(f"{where}: {first.reason}{more}", where=where)


@dataclass(frozen=True)
class Words:
    """A column of text, each distinct value once."""

    values: NDArray[np.object_]
    """`[distinct]` of str; null is U+FDD0."""
    indices: NDArray[np.integer]
    """`[rows]`, places in `values`."""

    def expand(self) -> NDArray[np.object_]:
        """Return the text of each row, `[rows]` of str."""
        return np.asarray(self.values[self.indices])


Column = NDArray[np.float64] | Words
_Refuse = Callable[[NDArray[np.bool_], str], None]


def to_tensors(batch: pa.RecordBatch, inputs: Sequence[InputColumn]) -> dict[str, np.ndarray]:
    """Return one rank-1 tensor a column, float64 or objects of str, as the file takes them.

    Raises:
        BadRows: a column is missing or unknown, or a value may not pass; lists every one.
    """
    return {
        name: item.expand() if isinstance(item, Words) else item for name, item in read(batch, inputs).items()
    }


def read(batch: pa.RecordBatch, inputs: Sequence[InputColumn]) -> dict[str, Column]:
    """Return the columns of a batch as the door lets them pass, text still as distinct values and places.

    Raises:
        BadRows: a column is missing or unknown, or a value may not pass; lists every one.
    """
    names = batch.schema.names
    bad: list[BadValue] = list(_misnamed(names, [item.name for item in inputs]))
    if bad:
        raise BadRows(bad)
    given = dict(zip(names, batch.columns, strict=True))
    columns: dict[str, Column] = {}
    for item in inputs:

        def refuse(rows: NDArray[np.bool_], reason: str, name: str = item.name) -> None:
            bad.extend(BadValue(int(row), name, reason) for row in np.flatnonzero(rows))

        column = given[item.name]
        if item.tensor == "string":
            columns[item.name] = _words(column, item.type, refuse)
        elif item.type == "datetime":
            columns[item.name] = _times(column, item.timezone, refuse)
        else:
            columns[item.name] = _numbers(column, refuse)
    if bad:
        raise BadRows(bad)
    return columns


def _misnamed(names: Sequence[str], wanted: Sequence[str]) -> Iterator[BadValue]:
    if names == wanted and len(set(names)) == len(names):
        return
    for name in wanted:
        if name not in names:
            yield BadValue(None, name, "the column is missing")
    for name in dict.fromkeys(names):
        if name not in wanted:
            yield BadValue(None, name, "the model knows no such column")
        elif names.count(name) > 1:
            yield BadValue(None, name, "the column is there twice")


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _present(column: pa.Array) -> NDArray[np.bool_]:
    """Return where a column holds a value."""
    return np.asarray(pc.is_valid(column).to_numpy(zero_copy_only=False))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _describe(kind: pa.DataType) -> str:
    """Return what a refused column holds, in a reader's words."""
    if _is_text(kind):
        return "text"
    if pa.types.is_boolean(kind):
        return "true or false"
    if pa.types.is_integer(kind):
        return "an integer"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "a number with a fraction"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "a time"
    return f"a value of the type {kind}"


def _numbers(column: pa.Array, refuse: _Refuse) -> NDArray[np.float64]:
    column = _plain(column)
    kind = column.type
    if pa.types.is_floating(kind):
        # A cast that changes nothing costs more than all else that is done with one row's value.
        doubles = column if kind == _FLOAT64 else column.cast(_FLOAT64)
        values = np.asarray(doubles.to_numpy(zero_copy_only=False), np.float64)
        infinite = np.isinf(values)
        if np.count_nonzero(infinite):
            refuse(infinite, "infinity is no number")
        return values
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return _whole(column, refuse)
    if not pa.types.is_null(kind):
        refuse(_present(column), f"{_describe(kind)} where a number is expected")
    return np.full(len(column), np.nan)


def _whole(column: pa.Array, refuse: _Refuse) -> NDArray[np.float64]:
    """Read integers and decimals; decimals go through text, whose reading is correctly rounded."""
    kind = column.type
    if pa.types.is_decimal(kind):
        values = column.cast(pa.string()).cast(pa.float64())
    else:
        values = column.cast(pa.float64(), safe=False)
    numbers = np.asarray(values.to_numpy(zero_copy_only=False), np.float64)
    if pa.types.is_decimal(kind) or kind.bit_width == 64:
        beyond = np.abs(numbers) >= BIGGEST
        if beyond.any():
            # 2^53 + 1 rounds to 2^53, so the edge itself is judged on the exact value.
            exact = np.array(
                [value is not None and abs(value) > BIGGEST for value in column.to_pylist()], bool
            )
            if exact.any():
                refuse(exact, "an integer beyond 2^53 loses digits as a number")
    return numbers


def _times(column: pa.Array, timezone: str | None, refuse: _Refuse) -> NDArray[np.float64]:
    """Read instants, dates as midnights; what is finer than a millisecond is cut off."""
    column = _plain(column)
    kind = column.type
    if pa.types.is_date32(kind):
        zoned, ticks, factor, divisor = False, column.view(pa.int32()).cast(pa.int64()), 86_400_000, 1
    elif pa.types.is_date64(kind):
        zoned, ticks, factor, divisor = False, column.view(pa.int64()), 1, 1
    elif pa.types.is_timestamp(kind):
        zoned, ticks, (factor, divisor) = kind.tz is not None, column.view(pa.int64()), _UNIT[kind.unit]
    else:
        if not pa.types.is_null(kind):
            refuse(_present(column), f"{_describe(kind)} where a time is expected")
        return np.full(len(column), np.nan)
    if not zoned and timezone is None:
        refuse(_present(column), "a time without a zone")
        return np.full(len(column), np.nan)
    whole = np.asarray(ticks.fill_null(0).to_numpy(zero_copy_only=False), np.int64) // divisor
    values = whole.astype(np.float64) * factor
    if not zoned and timezone is not None:
        values = zone(timezone).to_utc(values)
    if column.null_count:
        values[~_present(column)] = np.nan
    return values


def _words(column: pa.Array, wanted: JsonType, refuse: _Refuse) -> Words:
    kind = column.type
    if pa.types.is_null(kind):
        return Words(np.array([NULL], object), np.zeros(len(column), np.int64))
    if pa.types.is_dictionary(kind):
        indices, values = column.indices, column.dictionary
    else:
        if not _allowed(kind, wanted):
            refuse(_present(column), _mismatch(kind, wanted))
            return Words(np.array([NULL], object), np.zeros(len(column), np.int64))
        encoded = (
            column.cast(pa.large_string()) if pa.types.is_string_view(kind) else column
        ).dictionary_encode()
        indices, values = encoded.indices, encoded.dictionary
    places = (
        np.asarray(indices.fill_null(len(values)).to_numpy(zero_copy_only=False))
        if indices.null_count
        else indices.to_numpy()
    )
    texts = np.empty(len(values) + 1, object)
    texts[-1] = NULL
    texts[:-1], faults = _texts(values, wanted)
    for reason, places_of in faults:
        wrong = np.append(places_of, False)
        refuse(wrong[places], reason)
        texts[wrong] = NULL
    return Words(texts, places)


def _allowed(kind: pa.DataType, wanted: JsonType) -> bool:
    whole = pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale <= 0)
    return (
        _is_text(kind)
        or pa.types.is_null(kind)
        or (bool(whole) and wanted == "integer")
        or (bool(pa.types.is_boolean(kind)) and wanted == "boolean")
    )


def _mismatch(kind: pa.DataType, wanted: JsonType) -> str:
    return f"{_describe(kind)} where {_WANTED[wanted]} is expected"


def _texts(
    values: pa.Array, wanted: JsonType
) -> tuple[NDArray[np.object_], list[tuple[str, NDArray[np.bool_]]]]:
    """Return the text of distinct values, U+FDD0 for null, and which of them may not pass, by reason."""
    if not _allowed(values.type, wanted):
        return np.full(len(values), NULL, object), [(_mismatch(values.type, wanted), _present(values))]
    faults: list[tuple[str, NDArray[np.bool_]]] = []
    if not _is_text(values.type):
        values = values.cast(pa.string())
    else:
        values, broken = _readable(
            values.cast(pa.large_string()) if pa.types.is_string_view(values.type) else values
        )
        faults.extend(broken)
        faults.extend(_suspicious(values, wanted))
    texts = np.asarray(values.fill_null(NULL).to_numpy(zero_copy_only=False), object)
    return texts, [fault for fault in faults if fault[1].any()]


def _suspicious(values: pa.Array, wanted: JsonType) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    def where(mask: pa.Array) -> NDArray[np.bool_]:
        return np.asarray(mask.fill_null(False).to_numpy(zero_copy_only=False))

    yield "text with the character NUL", where(pc.match_substring(values, "\0"))
    yield "the character U+FDD0 stands for null", where(pc.equal(values, NULL))
    if wanted == "integer":
        plain = pc.match_substring_regex(values, r"^(0|-?[1-9][0-9]*)$")
        yield "text where an integer is expected", where(pc.invert(plain))
    if wanted == "boolean":
        known = pc.is_in(values, value_set=pa.array(["true", "false"], values.type))
        yield "text where true or false is expected", where(pc.and_(pc.invert(known), pc.is_valid(values)))


def _readable(values: pa.Array) -> tuple[pa.Array, list[tuple[str, NDArray[np.bool_]]]]:
    """Return values that are UTF-8, those that are not as null, and where these stood."""
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        pass
    else:
        return values, []
    raw = values.cast(pa.large_binary()).to_pylist()
    lone = np.array([_broken(item) == "lone" for item in raw], bool)
    other = np.array([_broken(item) == "other" for item in raw], bool)
    clean = [
        None if wrong else item.decode() if item is not None else None
        for item, wrong in zip(raw, lone | other, strict=True)
    ]
    return pa.array(clean, values.type), [
        ("text with a lone surrogate", lone),
        ("text that is not UTF-8", other),
    ]


def _broken(item: bytes | None) -> str:
    if item is None:
        return ""
    try:
        item.decode()
    except UnicodeDecodeError:
        try:
            item.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return "other"
        return "lone"
    return ""
