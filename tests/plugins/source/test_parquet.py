"""Parquet files."""

from __future__ import annotations

import datetime as dt
import decimal
from pathlib import Path

import pyarrow as pa
import pytest
from mlspec.plugins.source.parquet import Parquet
from pyarrow import parquet

from mlspec.engine.reading.reading import Reading
from mlspec.errors import StepError
from mlspec.sdk.context import Context


def read(folder: Path, table: pa.Table, **features: object) -> Reading:
    parquet.write_table(table, folder / "t.parquet")
    data = {"source": {"kind": "parquet", "path": "t.parquet"}, "features": features, "max_rejects": 1.0}
    return Reading.of(data, Context(folder, scratch=folder))


def test_typed_columns_become_what_the_door_takes(tmp_path: Path) -> None:
    moment = dt.datetime(2024, 7, 1, 12, 0, 0, 123_456)
    table = pa.table(
        {
            "whole": pa.array([1, None, 3], pa.int16()),
            "float": pa.array([1.5, float("nan"), None], pa.float32()),
            "money": pa.array([decimal.Decimal("1.25"), None, decimal.Decimal("-3")], pa.decimal128(9, 2)),
            "word": pa.array(["a", "", None]).dictionary_encode(),
            "code": pa.array([7, None, -1], pa.int64()),
            "flag": pa.array([True, None, False]),
            "zoned": pa.array([moment, None, moment], pa.timestamp("us", "Europe/Berlin")),
            "naive": pa.array([moment, None, moment], pa.timestamp("ns")),
            "day": pa.array([moment.date(), None, moment.date()]),
        }
    )
    zone = {"kind": "datetime", "timezone": "Asia/Tokyo"}
    found = read(
        tmp_path,
        table,
        whole="number",
        float="number",
        money="number",
        word="category",
        code="category",
        flag="binary",
        zoned="datetime",
        naive=zone,
        day=zone,
    )
    assert found.rejected == 0
    rows = found.table.to_pyarrow().to_pylist()
    assert [row["whole"] for row in rows] == [1.0, None, 3.0]
    assert [row["float"] for row in rows] == [1.5, None, None]
    assert [row["money"] for row in rows] == [1.25, None, -3.0]
    assert [row["word"] for row in rows] == ["a", "", None]
    assert [row["code"] for row in rows] == ["7", None, "-1"]
    assert [row["flag"] for row in rows] == ["true", None, "false"]
    cut = moment.replace(microsecond=123_000, tzinfo=dt.UTC)
    assert rows[0]["zoned"] == cut
    assert rows[0]["naive"] == cut - dt.timedelta(hours=9)
    assert rows[0]["day"] == dt.datetime(2024, 6, 30, 15, tzinfo=dt.UTC)
    assert found.types() == {
        "whole": "integer",
        "float": "number",
        "money": "number",
        "word": "string",
        "code": "integer",
        "flag": "boolean",
        "zoned": "datetime",
        "naive": "datetime",
        "day": "datetime",
    }


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (pa.array([1.0, float("inf")]), "is infinite"),
        (pa.array([1, 2**53 + 1]), "is an integer beyond 2^53"),
        (pa.array([1, 2**64 - 1], pa.uint64()), "is an integer beyond 2^53"),
        (pa.array([1, -(2**63)], pa.int64()), "is an integer beyond 2^53"),
    ],
)
def test_numbers_that_the_door_refuses_are_rejects(tmp_path: Path, values: pa.Array, reason: str) -> None:
    found = read(tmp_path, pa.table({"x": values}), x="number")
    assert [(item.column, item.reason, item.rows) for item in found.rejects] == [("x", reason, 1)]
    assert found.table.execute()["x"].tolist() == [1.0]


def test_the_largest_exact_integer_passes(tmp_path: Path) -> None:
    found = read(tmp_path, pa.table({"x": [2**53, -(2**53)]}), x="number")
    assert found.table.execute()["x"].tolist() == [2.0**53, -(2.0**53)]


@pytest.mark.parametrize(
    ("values", "kind", "told"),
    [
        (pa.array([1.0]), "category", "its kind is number"),
        (pa.array([True]), "number", "its kind is binary"),
        (pa.array([dt.datetime(2024, 1, 1)]), "number", "its kind is datetime"),
        (pa.array([dt.datetime(2024, 1, 1)]), "datetime", "timezone: UTC"),
        (pa.array([1]), "datetime", "number or category"),
        (pa.array([[1]]), "category", "ignore it"),
    ],
)
def test_a_column_of_the_wrong_type_is_refused_as_a_whole(
    tmp_path: Path, values: pa.Array, kind: str, told: str
) -> None:
    with pytest.raises(StepError, match="column 'x' holds") as caught:
        read(tmp_path, pa.table({"x": values}), x=kind)
    assert told in (caught.value.fix or "")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"hello, world"])
def test_a_file_that_is_no_parquet_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.parquet").write_bytes(content)
    with pytest.raises(StepError, match=r"'t.parquet' is no whole Parquet file"):
        Parquet(kind="parquet", path="t.parquet").columns(Context(tmp_path))


def test_a_file_with_a_good_footer_and_bad_pages_is_told(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"x": list(range(10_000))}), tmp_path / "t.parquet", compression="zstd")
    content = bytearray((tmp_path / "t.parquet").read_bytes())
    content[4:3000] = b"\xff" * 2996
    (tmp_path / "t.parquet").write_bytes(content)
    with pytest.raises(StepError, match=r"'t\.parquet' is damaged: its rows 0 to 9999"):
        Reading.of({"source": {"kind": "parquet", "path": "t.parquet"}}, Context(tmp_path, scratch=tmp_path))


def test_a_truncated_file_is_told(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"x": list(range(1000))}), tmp_path / "t.parquet")
    content = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "t.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(StepError, match="no whole Parquet file"):
        Parquet(kind="parquet", path="t.parquet").columns(Context(tmp_path))


def test_files_of_a_glob_must_agree(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"x": [1]}), tmp_path / "a.parquet")
    parquet.write_table(pa.table({"y": [1]}), tmp_path / "b.parquet")
    with pytest.raises(StepError, match=r"'b.parquet' has other columns"):
        Parquet(kind="parquet", path="*.parquet").columns(Context(tmp_path))


def test_footers_tell_the_nulls_of_columns_without_fields(tmp_path: Path) -> None:
    first = pa.table({"x": [1.0, float("nan"), None], "a.b": [None, 2, None], "s": [{"x": 1}, None, None]})
    (tmp_path / "rows").mkdir()
    parquet.write_table(first, tmp_path / "rows" / "a.parquet", row_group_size=1)
    parquet.write_table(first, tmp_path / "rows" / "b.parquet", write_statistics=["x"])
    context = Context(tmp_path)
    assert Parquet(kind="parquet", path="rows/a.parquet").nulls_told(context) == {"x": 1, "a.b": 2}
    assert Parquet(kind="parquet", path="rows").nulls_told(context) == {"x": 2}
