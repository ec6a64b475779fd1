import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlspec.engine.door import BadRows, read
from mlspec.engine.serving.rows import MOST_FAULTS, to_batch
from mlspec.engine.serving.strict_json import NotJson, strict_json
from mlspec.sdk.contract import Contract
from tests.tiny_package import INPUTS, ROW, TARGETS

CONTRACT = Contract(name="tiny", target=TARGETS["binary"], inputs=INPUTS, outputs=())


def faults(*rows: Any) -> list[tuple[int | None, str]]:
    with pytest.raises(BadRows) as caught:
        to_batch(list(rows), CONTRACT)
    return [(value.row, value.column) for value in caught.value.values]


def reason(**changed: Any) -> str:
    """Return why a row is refused, here or at the door behind."""
    with pytest.raises(BadRows) as caught:
        read(to_batch([{**ROW, **changed}], CONTRACT), INPUTS)
    assert [(value.row, value.column) for value in caught.value.values] == [(0, *changed)]
    return caught.value.values[0].reason


def instant(text: str, column: str = "born") -> datetime:
    value: datetime = to_batch([{**ROW, column: text}], CONTRACT).column(column)[0].as_py()
    return value


def test_a_row_becomes_the_types_that_the_door_takes() -> None:
    batch = to_batch([ROW, {**dict.fromkeys(ROW), "age": 7}], CONTRACT)
    assert batch.schema.names == [column.name for column in INPUTS]
    assert batch.column("age").to_pylist() == [39.5, 7.0]
    assert batch.column("town").to_pylist() == ["Zürich", None]
    assert batch.column("rooms").type == pa.int64() and batch.column("rooms").to_pylist() == [3, None]
    assert batch.column("smoker").to_pylist() == [True, None]
    assert batch.column("seen").to_pylist() == [datetime(2024, 7, 1, 10, tzinfo=UTC), None]
    assert set(read(batch, INPUTS)) == set(ROW)


def test_no_rows_are_a_batch_of_none() -> None:
    assert to_batch([], CONTRACT).num_rows == 0


@pytest.mark.parametrize(
    ("column", "value", "word"),
    [
        ("age", "39", "text"), ("age", True, "true or false"), ("age", [39], "a list"),
        ("age", {}, "an object"),
        ("age", float("inf"), "infinity"), ("age", float("nan"), "NaN"), ("age", 2**53 + 1, "2^53"),
        ("age", -(2**53) - 1, "2^53"), ("age", 10**400, "2^53"),
        ("town", 5, "a number"), ("town", True, "true or false"), ("town", "a\0b", "NUL"),
        ("town", "\ud800", "surrogate"), ("town", "\ufdd0", "U+FDD0"),
        ("rooms", 3.0, "integer"), ("rooms", "3", "text"), ("rooms", True, "true or false"),
        ("rooms", 2**53 + 1, "2^53"),
        ("smoker", 1, "a number"), ("smoker", "true", "text"),
        ("seen", 0, "a number"), ("seen", "soon", "RFC 3339"), ("seen", True, "true or false"),
        ("born", "1990-01-31T00:00:00", "zone"), ("born", "1990-01-31", "zone"),
        ("born", "1990-02-30T00:00:00Z", "no such time"), ("born", "1990-01-31T24:00:01Z", "no such time"),
        ("born", "1990-01-31T00:00:00+24:00", "zone"), ("born", "1990-01-31T00:00Z", "RFC 3339"),
        ("born", "1990-1-31T00:00:00Z", "RFC 3339"), ("born", "１990-01-31T00:00:00Z", "RFC 3339"),
        ("born", "1990-01-31T00:00:00.Z", "RFC 3339"), ("born", "x" * 100, "RFC 3339"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused_by_name(column: str, value: Any, word: str) -> None:
    assert word in reason(**{column: value})


@pytest.mark.parametrize("value", [0, -0.0, 2**53, -(2**53), 1e308, 5e-324, 1e16])
def test_every_finite_number_passes(value: float) -> None:
    assert to_batch([{**ROW, "age": value}], CONTRACT).column("age")[0].as_py() == value


def test_times_are_instants_to_the_millisecond() -> None:
    assert instant("1990-01-31T12:00:00.123999Z") == datetime(1990, 1, 31, 12, 0, 0, 123000, UTC)
    assert instant("1990-01-31 12:00:00+05:30") == datetime(1990, 1, 31, 6, 30, tzinfo=UTC)
    assert instant("1960-02-29t12:00:00.5z") == datetime(1960, 2, 29, 12, 0, 0, 500000, UTC)
    assert instant("0001-01-01T00:00:00Z") == datetime(1, 1, 1, tzinfo=UTC)
    assert instant("2024-07-01", "seen") == datetime(2024, 6, 30, 22, tzinfo=UTC)


@given(st.datetimes(datetime(1950, 1, 1), datetime(2090, 1, 1)))
@settings(max_examples=100, deadline=None)
def test_a_naive_time_is_read_in_the_contracts_zone(local: datetime) -> None:
    # fold=1: of an hour that the clock shows twice, the door takes the second.
    expected = local.replace(tzinfo=ZoneInfo("Europe/Berlin"), fold=1)
    if expected.astimezone(UTC).astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None) != local:
        return  # the clock skips it
    found = instant(local.isoformat(), "seen")
    assert found == expected.astimezone(UTC).replace(microsecond=local.microsecond // 1000 * 1000)


def test_all_faults_are_told_at_once_with_row_and_column() -> None:
    wrong = {**ROW, "age": "39", "town": "a\0b"}
    lacking = {name: value for name, value in ROW.items() if name != "born"}
    assert faults(wrong, ROW, {**ROW, "aeg": 1}, lacking, 5) == [
        (0, "age"), (0, "town"), (2, "aeg"), (3, "born"), (4, ""),
    ]  # fmt: skip


def test_an_unknown_column_is_told_its_neighbour() -> None:
    with pytest.raises(BadRows, match="did you mean 'smoker'"):
        to_batch([{**ROW, "smokr": True}], CONTRACT)


def test_a_flood_of_faults_is_cut_off() -> None:
    assert len(faults(*([{}] * 10_000))) == MOST_FAULTS
    assert len(faults(*([{**ROW, "age": "x"}] * 10_000))) == MOST_FAULTS


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"nope", b'{"a": 1}{', b'{"a": NaN}', b'{"a": Infinity}', b'{"a": -Infinity}',
        b'{"a": 1, "a": 1}', b'[{"b": {"a": 1, "a": 2}}]', b"[" * 100_000, b'{"a":' * 100_000, b'"\xff"',
        "{}".encode("utf-16"), b"\xef\xbb\xbf{}",
        b"{'a': 1}", b"[1,]", b'"\x01"', b"01", b"{\"a\": 1} // c", b"1_000",
    ],
)  # fmt: skip
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(NotJson):
        strict_json(body)


def test_numbers_too_large_for_a_float_become_infinity() -> None:
    long = b"9" * 5000
    assert strict_json(b'{"a": 1e400, "b": -' + long + b', "c": 3}') == {
        "a": float("inf"),
        "b": -float("inf"),
        "c": 3,
    }
    assert strict_json(b"1" * 400) == int("1" * 400)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8)
    | st.sampled_from(["2024-01-01T00:00:00Z", "\ud800", "\ufdd0", "\0", 2**53 + 1, 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
CHANGED = st.dictionaries(st.sampled_from([*ROW, "other"]), JSON, max_size=4)


@given(st.lists(JSON | CHANGED.map(lambda changed: {**ROW, **changed}), max_size=4))
@settings(max_examples=200, deadline=None)
def test_any_rows_are_taken_or_refused_and_nothing_else(rows: list[Any]) -> None:
    try:
        batch = to_batch(rows, CONTRACT)
    except BadRows as error:
        assert error.values
        assert all(value.row is None or 0 <= value.row < len(rows) for value in error.values)
        return
    assert batch.num_rows == len(rows)
    assert all(row.keys() == ROW.keys() for row in rows)
    json.dumps(rows, allow_nan=False)  # what was taken is JSON
    for column in ("age", "town", "rooms", "smoker"):
        assert batch.column(column).to_pylist() == [row[column] for row in rows]
