"""Files that are asked where they lie give what a table of their rows gives."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from mlspec.engine.checking.statistics import statistics
from mlspec.engine.reading.reading import Reading
from mlspec.errors import StepError
from mlspec.sdk.context import Context

FEATURES: dict[str, Any] = {
    "whole": "number", "x": "number", "word": "category", "code": "category", "flag": "binary",
    "at": "datetime", "day": {"kind": "datetime", "timezone": "Asia/Tokyo"},
}  # fmt: skip


def write(file: Path, rows: int, seed: int = 0, **changes: Any) -> pa.Table:
    random = np.random.default_rng(seed)
    x = random.normal(size=rows)
    x[::7] = np.nan
    columns = {
        "id": [f"{seed}-{row}" for row in range(rows)],
        "whole": pa.array(random.integers(-5, 5, rows), mask=random.random(rows) < 0.1),
        "x": x,
        "word": pa.array(random.choice(["a", "b", "", "é"], rows), mask=random.random(rows) < 0.1),
        "code": [str(value) for value in random.integers(0, 9, rows)],
        "flag": random.random(rows) < 0.5,
        "at": pa.array(random.integers(0, 10**15, rows), pa.timestamp("us", "Europe/Berlin")),
        "day": pa.array(random.integers(0, 20_000, rows).astype(np.int32), pa.date32()),
    } | changes
    table = pa.table(columns)
    file.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, file, row_group_size=max(rows // 3, 1))
    return table


def both(folder: Path, **changes: Any) -> tuple[Reading, Reading]:
    data = {"source": {"kind": "parquet", "path": "rows"}, "features": FEATURES, "key": ["id"]} | changes
    context = Context(folder, scratch=folder)
    return Reading.where_it_lies(data, context), Reading.of(data, context)


def assert_same(lying: Reading, kept: Reading) -> None:
    assert lying.rows == kept.rows and lying.types() == kept.types()
    assert lying.table.schema() == kept.table.schema()
    rows = [one.table.order_by("mlspec_row").to_pyarrow() for one in (lying, kept)]
    assert rows[0].equals(rows[1])
    assert statistics(lying.table) == statistics(kept.table)


def test_one_file_and_many_give_the_rows_of_a_table(tmp_path: Path) -> None:
    write(tmp_path / "rows" / "a.parquet", 1000)
    lying, kept = both(tmp_path)
    assert lying.marks is not None and kept.marks is None
    assert_same(lying, kept)
    write(tmp_path / "rows" / "b.parquet", 1, seed=1)
    write(tmp_path / "rows" / "c.parquet", 300, seed=2)
    lying, kept = both(tmp_path)
    assert lying.marks is not None and lying.rows == 1301
    assert_same(lying, kept)


def test_columns_that_are_folders_are_there(tmp_path: Path) -> None:
    write(tmp_path / "rows" / "year=2024" / "a.parquet", 50)
    write(tmp_path / "rows" / "year=2025" / "a.parquet", 50, seed=1)
    source = {"kind": "parquet", "path": "rows", "hive": True}
    lying, kept = both(tmp_path, source=source, features=FEATURES | {"year": "number"})
    assert lying.marks is not None
    assert_same(lying, kept)


def test_rows_that_cannot_be_read_are_left_out_as_ever(tmp_path: Path) -> None:
    write(tmp_path / "rows" / "a.parquet", 20, x=[1.0, float("inf"), *range(18)])
    lying, kept = both(tmp_path, max_rejects=0.1)
    assert lying.marks is None and lying.rejects == kept.rejects and lying.rejected == 1
    assert_same(lying, kept)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("a[1].parquet", {}),
        ("a.parquet", {"file_row_number": list(range(40))}),
        ("a.parquet", {"FILE_INDEX": [3] * 40}),
    ],
)
def test_what_duckdb_takes_for_another_thing_is_read_as_ever(
    tmp_path: Path, name: str, changes: dict[str, Any]
) -> None:
    write(tmp_path / "rows" / name, 40, **changes)
    lying, kept = both(tmp_path)
    assert lying.marks is None
    assert_same(lying, kept)


def test_a_sample_is_read_as_ever(tmp_path: Path) -> None:
    write(tmp_path / "rows" / "a.parquet", 400)
    lying, kept = both(tmp_path, sample=50)
    assert lying.rows == 50
    assert_same(lying, kept)


def test_no_other_file_is_within_reach(tmp_path: Path) -> None:
    write(tmp_path / "rows" / "a.parquet", 40)
    write(tmp_path / "other.parquet", 40)
    lying, _ = both(tmp_path)
    with pytest.raises(Exception, match="disabled by configuration"):
        lying.table.get_backend().con.execute(f"SELECT * FROM read_parquet('{tmp_path}/other.parquet')")


def test_damage_that_only_a_question_finds_is_told_with_its_file(tmp_path: Path) -> None:
    table = pa.table({"x": np.arange(1000.0), "word": [f"word {row}" for row in range(1000)]})
    (tmp_path / "rows").mkdir()
    file = tmp_path / "rows" / "a.parquet"
    parquet.write_table(table, file, compression="zstd", use_dictionary=False)
    place = parquet.ParquetFile(file).metadata.row_group(0).column(1).data_page_offset
    content = bytearray(file.read_bytes())
    content[place : place + 400] = b"\xff" * 400
    file.write_bytes(content)
    data = {"source": {"kind": "parquet", "path": "rows"}, "features": {"x": "number"}}
    lying = Reading.where_it_lies(data, Context(tmp_path, scratch=tmp_path))
    with pytest.raises(StepError, match=r"'rows/a\.parquet' is damaged: its rows 0 to 999"), lying.asking():
        statistics(lying.table)


def test_a_file_that_changes_between_two_questions_is_told(tmp_path: Path) -> None:
    write(tmp_path / "rows" / "a.parquet", 40)
    lying, _ = both(tmp_path)
    with pytest.raises(StepError, match=r"'rows/a\.parquet' changed while it was read"), lying.asking():
        lying.table.count().execute()
        write(tmp_path / "rows" / "a.parquet", 41)


def test_a_question_is_to_blame_for_its_own_fault(tmp_path: Path) -> None:
    write(tmp_path / "rows" / "a.parquet", 40)
    lying, _ = both(tmp_path)
    with pytest.raises(Exception, match="Conversion Error"), lying.asking():
        lying.table.get_backend().con.execute("SELECT CAST(word AS INTEGER) FROM mlspec_rows").fetchall()


def test_times_do_not_depend_on_the_clock_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = dt.datetime(2024, 7, 1, 12, tzinfo=dt.UTC)
    write(tmp_path / "rows" / "a.parquet", 1, at=pa.array([moment], pa.timestamp("us", "UTC")))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    for reading in both(tmp_path):
        connection = reading.table.get_backend().con
        connection.execute("SET TimeZone = 'Asia/Tokyo'")
        assert statistics(reading.table)["columns"]["at"]["min"] == moment.timestamp() * 1000


def without_looking(folder: Path, empty: dict[str, int]) -> Reading:
    """Return the rows of numbers of which it is known how many hold null or NaN."""
    data = {"source": {"kind": "parquet", "path": "rows"}, "features": {"x": "number", "y": "number"}}
    rows = sum(parquet.read_metadata(file).num_rows for file in (folder / "rows").iterdir())
    return Reading.where_it_lies(data, Context(folder, scratch=folder), rows, empty)


def looks(reading: Reading) -> set[str]:
    """Return the columns in which NaN is looked for."""
    asked = "SELECT sql FROM duckdb_views() WHERE view_name = 'mlspec_rows'"
    ((query,),) = reading.table.get_backend().con.execute(asked).fetchall()
    return {name for name in reading.types_told if f"isnan({name})" in query.replace('"', "")}


def write_floats(file: Path, x: list[float | None], y: list[float | None], **options: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"x": pa.array(x, pa.float64()), "y": pa.array(y, pa.float32())})
    parquet.write_table(table, file, row_group_size=2, **options)


def test_nan_is_looked_for_in_columns_that_hold_it(tmp_path: Path) -> None:
    write_floats(tmp_path / "rows" / "a.parquet", [1.0, None, -0.0, 5e-324], [1.0, float("nan"), None, 2.0])
    write_floats(tmp_path / "rows" / "b.parquet", [None, 1e308], [None, 0.5])
    found = without_looking(tmp_path, {"x": 2, "y": 3})
    assert looks(found) == {"y"}
    asked = Reading.where_it_lies(
        {"source": {"kind": "parquet", "path": "rows"}, "features": {"x": "number", "y": "number"}},
        Context(tmp_path, scratch=tmp_path),
    )
    assert looks(asked) == {"x", "y"}
    tables = [one.table.order_by("mlspec_row").to_pyarrow() for one in (found, asked)]
    assert tables[0].equals(tables[1]) and tables[0].column("y").null_count == 3
    assert np.signbit(tables[0].column("x")[2].as_py())


def test_nan_is_looked_for_where_a_file_does_not_tell_its_nulls(tmp_path: Path) -> None:
    write_floats(tmp_path / "rows" / "a.parquet", [1.0, None], [1.0, 2.0])
    write_floats(tmp_path / "rows" / "b.parquet", [1.0, None], [1.0, 2.0], write_statistics=["y"])
    assert looks(without_looking(tmp_path, {"x": 2, "y": 0})) == {"x"}
    assert looks(without_looking(tmp_path, {"x": 1})) == {"x", "y"}
    assert looks(without_looking(tmp_path, {})) == {"x", "y"}
