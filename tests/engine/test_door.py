"""The door: what passes, as which tensor, and what is refused with which words."""

from __future__ import annotations

import datetime as dt
import decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from mlspec.engine.door import BadRows, BadValue, read, to_tensors
from mlspec.sdk.contract import NULL, InputColumn
from tests.hostile import INPUTS, Refusal, legal, refused

NUMBER, TEXT, CODE, FLAG, MOMENT, LOCAL, DAY = (INPUTS[place] for place in (0, 2, 3, 4, 6, 7, 8))


def through(column: pa.Array, item: InputColumn) -> np.ndarray:
    return to_tensors(pa.RecordBatch.from_arrays([column], [item.name]), [item])[item.name]


@pytest.mark.parametrize("case", refused(), ids=lambda case: case.name)
def test_refuses_and_names_each_row(case: Refusal) -> None:
    with pytest.raises(BadRows) as caught:
        through(case.column, case.input)
    assert tuple(bad.row for bad in caught.value.values) == case.rows
    assert {bad.column for bad in caught.value.values} == {case.input.name}
    assert all(case.reason in bad.reason for bad in caught.value.values), caught.value.values


@pytest.mark.parametrize("case", refused(), ids=lambda case: case.name)
def test_the_other_rows_of_a_refused_column_pass(case: Refusal) -> None:
    good = [row for row in range(len(case.column)) if row not in case.rows]
    column = (
        pa.concat_arrays([case.column.slice(row, 1) for row in good]) if good else case.column.slice(0, 0)
    )
    assert len(through(column, case.input)) == len(good)


def test_faults_of_all_columns_are_told_together() -> None:
    batch = pa.RecordBatch.from_pydict({"text": ["a\0", "b"], "number": [1.0, np.inf]})
    with pytest.raises(BadRows) as caught:
        to_tensors(batch, [NUMBER, TEXT])
    assert [(bad.row, bad.column) for bad in caught.value.values] == [(1, "number"), (0, "text")]


def test_missing_extra_and_doubled_columns_are_named() -> None:
    column = pa.array([1.0])
    with pytest.raises(BadRows) as caught:
        to_tensors(
            pa.RecordBatch.from_arrays([column, column, column], ["number", "number", "other"]),
            [NUMBER, TEXT],
        )
    assert caught.value.values == (
        BadValue(None, "text", "the column is missing"),
        BadValue(None, "number", "the column is there twice"),
        BadValue(None, "other", "the model knows no such column"),
    )


@pytest.mark.parametrize(
    "kind",
    [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
     pa.float16(), pa.float32(), pa.float64(), pa.decimal128(9, 2), pa.decimal256(50, 3),
     pa.dictionary(pa.int8(), pa.int32())],
    ids=str,
)  # fmt: skip
def test_every_type_of_number_becomes_float64(kind: pa.DataType) -> None:
    values = [decimal.Decimal(3), None, decimal.Decimal(0)] if pa.types.is_decimal(kind) else [3, None, 0]
    found = through(
        pa.array(values, pa.int32()).dictionary_encode()
        if pa.types.is_dictionary(kind)
        else _float16(values, kind),
        NUMBER,
    )
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [3.0, np.nan, 0.0])


def _float16(values: list, kind: pa.DataType) -> pa.Array:
    if kind != pa.float16():
        return pa.array(values, kind)
    return pa.array([None if value is None else np.float16(value) for value in values], kind)


def test_a_decimal_is_read_as_exactly_as_its_text() -> None:
    values = [
        decimal.Decimal(text)
        for text in ("0.1", "-123456789.123456789", "0.30000000000000004", "9007199254740991.5")
    ]
    assert through(pa.array(values, pa.decimal128(38, 18)), NUMBER).tolist() == [
        float(value) for value in values
    ]


def test_the_sign_of_zero_and_nan_pass() -> None:
    found = through(pa.array([-0.0, np.nan, None, 5e-324]), NUMBER)
    assert np.signbit(found[0])
    np.testing.assert_array_equal(found, [0.0, np.nan, np.nan, 5e-324])


@pytest.mark.parametrize(
    "make",
    [
        lambda array: array,
        lambda array: array.cast(pa.large_string()),
        lambda array: array.cast(pa.string_view()),
        lambda array: array.dictionary_encode(),
        lambda array: array.cast(pa.large_string()).dictionary_encode(),
        lambda array: pa.DictionaryArray.from_arrays(
            pa.array([1, 0, 3, 1], pa.uint8()), pa.array(["", None, "unused\0", "a"])
        ),
        lambda array: pa.concat_arrays([pa.array(["before"]), array]).slice(1),
    ],
    ids=["string", "large_string", "view", "dictionary", "large dictionary", "odd dictionary", "slice"],
)  # fmt: skip
def test_every_type_of_text_becomes_python_text(make) -> None:
    column = make(pa.array([None, "", "a", None]))
    assert through(column, TEXT).tolist() == [NULL, "", "a", NULL]


def test_integers_and_booleans_become_text() -> None:
    assert through(pa.array([5, None, -(2**63), 2**53 + 1]), CODE).tolist() == [
        "5",
        NULL,
        "-9223372036854775808",
        "9007199254740993",
    ]
    assert through(pa.array([decimal.Decimal(7), None]), CODE).tolist() == ["7", NULL]
    assert through(pa.array(["5", None]), CODE).tolist() == ["5", NULL]
    assert through(pa.array([5, None, 5], pa.int8()).dictionary_encode(), CODE).tolist() == ["5", NULL, "5"]
    assert through(pa.array([True, None, False]), FLAG).tolist() == ["true", NULL, "false"]


@pytest.mark.parametrize("item", INPUTS, ids=lambda item: item.name)
def test_a_column_of_nothing_is_all_null(item: InputColumn) -> None:
    found = through(pa.nulls(3), item)
    assert (found == NULL).all() if item.tensor == "string" else np.isnan(found).all()
    assert len(through(pa.nulls(0), item)) == 0


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "+05:30"])
def test_instants_of_every_unit_become_milliseconds(unit: str, zone: str) -> None:
    seconds = [0, -1, 1_700_000_000, None, -2_208_988_800]
    column = pa.array(seconds, pa.timestamp("s", "UTC")).cast(pa.timestamp(unit, zone))
    np.testing.assert_array_equal(
        through(column, DAY), [np.nan if s is None else s * 1000.0 for s in seconds]
    )


def test_what_is_finer_than_a_millisecond_is_cut_off() -> None:
    found = through(pa.array([-1, 1_700_000_000_000_999], pa.timestamp("us", "UTC")), DAY)
    assert found.tolist() == [-1.0, 1_700_000_000_000.0]
    assert through(pa.array([2**62, -1], pa.timestamp("ns", "UTC")), DAY).tolist() == [2**62 // 10**6, -1.0]


def test_a_date_is_the_midnight_of_the_stated_zone() -> None:
    column = pa.array([dt.date(2024, 7, 1), None])
    expected = dt.datetime(2024, 7, 1, tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000
    for kind in (pa.date32(), pa.date64()):
        np.testing.assert_array_equal(through(column.cast(kind), DAY), [19905 * 86_400_000.0, np.nan])
        np.testing.assert_array_equal(through(column.cast(kind), MOMENT), [expected, np.nan])


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "Africa/Casablanca",
        "Asia/Kathmandu",
        "UTC",
    ],
)
def test_naive_times_are_read_as_python_reads_them(zone: str) -> None:
    """A repeated time is its second pass (fold=1); a skipped one uses the offset before (fold=0)."""
    rng = np.random.default_rng(1)
    seconds = rng.integers(-2_000_000_000, 4_000_000_000, 20_000)
    hours = np.arange(1_666_000_000, 1_700_000_000, 1800)
    naive = [dt.datetime(1970, 1, 1) + dt.timedelta(seconds=int(s)) for s in np.concatenate([seconds, hours])]
    rules = ZoneInfo(zone)
    expected = []
    for moment in naive:
        one, two = (moment.replace(tzinfo=rules, fold=fold).timestamp() for fold in (0, 1))
        expected.append(max(one, two) * 1000)  # in a gap fold=0 is the later, in a repeated hour fold=1
    item = InputColumn(name="t", kind="datetime", tensor="float64", type="datetime", timezone=zone)
    np.testing.assert_array_equal(through(pa.array(naive, pa.timestamp("us")), item), expected)


def test_hostile_rows_pass_and_mean_what_pandas_says() -> None:
    batch = legal()
    found, frame = (
        to_tensors(batch, INPUTS),
        batch.to_pandas(timestamp_as_object=False, integer_object_nulls=True),
    )
    for name in ("number", "whole"):
        np.testing.assert_array_equal(found[name], pd.to_numeric(frame[name]).astype(float))
    for name in ("text", "word"):
        assert found[name].tolist() == [NULL if v is None else v for v in batch[name].to_pylist()]
    assert found["code"].tolist() == [NULL if v is None else str(v) for v in batch["code"].to_pylist()]
    assert found["flag"].tolist() == [
        NULL if v is None else str(v).lower() for v in batch["flag"].to_pylist()
    ]
    start = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    expected = [
        np.nan if v is None else (v - start) // dt.timedelta(milliseconds=1)
        for v in batch["moment"].to_pylist()
    ]
    np.testing.assert_array_equal(found["moment"], expected)


def test_words_hold_each_text_once() -> None:
    words = read(pa.RecordBatch.from_pydict({"text": ["b", "a", None, "b"]}), [TEXT])["text"]
    assert sorted(words.values) == ["a", "b", NULL]
    assert words.expand().tolist() == ["b", "a", NULL, "b"]


@settings(max_examples=200, deadline=None)
@given(some.lists(some.one_of(some.none(), some.text())))
def test_any_text_passes_unchanged_or_is_refused_with_its_row(values: list[str | None]) -> None:
    encodable, raw = [], []
    for value in values:
        raw.append(None if value is None else value.encode("utf-8", "surrogatepass"))
        encodable.append(
            value is None
            or not (any(0xD800 <= ord(c) < 0xE000 for c in value) or "\0" in value or value == NULL)
        )
    binary = pa.array(raw, pa.binary())
    column = pa.Array.from_buffers(pa.string(), len(binary), binary.buffers(), binary.null_count)
    if all(encodable):
        assert through(column, TEXT).tolist() == [NULL if value is None else value for value in values]
    else:
        with pytest.raises(BadRows) as caught:
            through(column, TEXT)
        assert sorted({bad.row for bad in caught.value.values}) == [
            row for row, good in enumerate(encodable) if not good
        ]


@settings(max_examples=200, deadline=None)
@given(some.lists(some.one_of(some.none(), some.floats(), some.integers(-(2**63), 2**63 - 1).map(float))))
def test_any_finite_number_passes_unchanged(values: list[float | None]) -> None:
    infinite = [row for row, value in enumerate(values) if value is not None and np.isinf(value)]
    column = pa.array(values, pa.float64())
    if not infinite:
        np.testing.assert_array_equal(through(column, NUMBER), np.array(values, float))
    else:
        with pytest.raises(BadRows) as caught:
            through(column, NUMBER)
        assert [bad.row for bad in caught.value.values] == infinite
