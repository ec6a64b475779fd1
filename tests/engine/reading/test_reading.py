"""One reading of a source: every value typed as the door takes it, or rejected with its reason."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from mlspec.engine import database as database_file
from mlspec.engine.door import to_tensors
from mlspec.engine.reading.reading import Reading
from mlspec.engine.reading.table import read_table
from mlspec.engine.zone import zone
from mlspec.errors import CheckFailed, StepError
from mlspec.sdk.context import Context
from mlspec.sdk.contract import InputColumn

NO_NUMBERS = [
    "x",
    "nan",
    "inf",
    "-Infinity",
    "1e309",
    "1_000",
    "0x1F",
    "1;5",
    "true",
    "１",
    "1 2",
    "--1",
    "NULL",
]


def read(folder: Path, columns: dict[str, list[str | None]], **data: Any) -> Reading:
    csv.write_csv(
        pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()}), folder / "t.csv"
    )
    given = {"source": {"kind": "csv", "path": "t.csv"}, "max_rejects": 1.0, **data}
    return Reading.of(given, Context(folder, scratch=folder))


def reasons(found: Reading) -> dict[str, int]:
    return {item.reason: item.rows for item in found.rejects}


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-0",
        "+1",
        "1.",
        ".5",
        " 7 ",
        "1e5",
        "-1E-3",
        "5e-324",
        "1e308",
        "9007199254740992",
        "-9007199254740992",
        "0007",
        "1e300",
    ],
)
def test_a_number_is_what_python_reads(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, {"x": [text]}, features={"x": "number"})
    value = found.table.to_pyarrow()["x"][0].as_py()
    assert value == float(text) and math.copysign(1, value) == math.copysign(1, float(text))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *((text, "is not a finite number") for text in NO_NUMBERS),
        *(
            (text, "is an integer beyond 2^53")
            for text in ("9007199254740993", "-9007199254740993", "1" * 45)
        ),
    ],
)
def test_what_is_no_number_is_a_reject_and_told(tmp_path: Path, text: str, reason: str) -> None:
    found = read(tmp_path, {"x": ["1", text]}, features={"x": "number"})
    assert [(item.column, item.reason, item.rows, item.examples) for item in found.rejects] == [
        ("x", reason, 1, (f"row 1: {text!r}",))
    ]
    assert found.table.to_pyarrow()["mlspec_row"].to_pylist() == [0]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2024-02-29", "2024-02-29T00:00:00+00:00"),
        ("2024-02-29 12:30", "2024-02-29T12:30:00+00:00"),
        ("2024-02-29T12:30:15.123456", "2024-02-29T12:30:15.123000+00:00"),
        ("2024-02-29T12:30:15Z", "2024-02-29T12:30:15+00:00"),
        ("2024-02-29T12:30Z", "2024-02-29T12:30:00+00:00"),
        ("2024-02-29 12:30:15+02", "2024-02-29T10:30:15+00:00"),
        ("2024-02-29T12:30:15.5-0330", "2024-02-29T16:00:15.500000+00:00"),
        ("2024-02-29T12:30:15+05:45", "2024-02-29T06:45:15+00:00"),
        ("1969-12-31T23:59:59.9996Z", "1969-12-31T23:59:59.999000+00:00"),
        ("0001-01-01", "0001-01-01T00:00:00+00:00"),
    ],
)
def test_iso_times_become_instants_of_whole_milliseconds(tmp_path: Path, text: str, wanted: str) -> None:
    found = read(tmp_path, {"t": [text]}, features={"t": {"kind": "datetime", "timezone": "UTC"}})
    assert found.rejected == 0
    assert found.table.to_pyarrow()["t"][0].as_py() == dt.datetime.fromisoformat(wanted)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "17",
        "2023-02-29",
        "2024-13-01",
        "01/02/2024",
        "infinity",
        "epoch",
        "12:30",
        "2024-01-01T25:00",
        "-2024-01-01",
        "2024-01-01 10:00 Europe/Berlin",
    ],
)
def test_what_is_no_iso_time_is_a_reject(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, {"t": [text, None]}, features={"t": {"kind": "datetime", "timezone": "UTC"}})
    assert reasons(found) == {"is no ISO 8601 time": 1}


def test_naive_times_need_a_stated_zone(tmp_path: Path) -> None:
    times = ["2024-01-01 10:00:00", "2024-01-01T10:00:00Z", None]
    found = read(tmp_path, {"t": times}, features={"t": "datetime"})
    assert reasons(found) == {"names no zone, and 'timezone' says none": 1}


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Casablanca"]
)
def test_naive_times_are_read_as_the_door_reads_them(tmp_path: Path, name: str) -> None:
    changes = zone(name).starts
    local = [dt.datetime(1970, 1, 1) + dt.timedelta(days=97.3 * step) for step in range(250)]
    for start, offset in list(zip(changes, zone(name).offsets[:-1], strict=True))[-60:]:
        around = dt.datetime(1970, 1, 1) + dt.timedelta(milliseconds=float(start + offset))
        if around.year < 2037:
            local += [
                around + dt.timedelta(minutes=minutes)
                for minutes in (-91, -61, -31, -1, 0, 1, 29, 31, 59, 61)
            ]
    local = [moment.replace(microsecond=0) for moment in local]
    found = read(
        tmp_path,
        {"t": [str(moment) for moment in local]},
        features={"t": {"kind": "datetime", "timezone": name}},
    )
    assert found.rejected == 0
    typed = found.table.to_pyarrow()["t"].cast(pa.timestamp("ms", "UTC")).cast(pa.int64()).to_numpy()
    column = InputColumn(name="t", kind="datetime", tensor="float64", type="datetime", timezone=name)
    door = to_tensors(pa.record_batch({"t": pa.array(local, pa.timestamp("us"))}), [column])["t"]
    np.testing.assert_array_equal(typed, door)
    rules = ZoneInfo(name)
    plain = [
        moment
        for moment in local
        if len({moment.replace(tzinfo=rules, fold=fold).utcoffset() for fold in (0, 1)}) == 1
    ]
    assert len(plain) > 200
    by_moment = dict(zip(local, typed, strict=True))
    for moment in plain:
        assert by_moment[moment] == moment.replace(tzinfo=ZoneInfo(name)).timestamp() * 1000


def test_a_zone_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="no time zone is called 'Mars/Olympus'"):
        read(
            tmp_path, {"t": ["2024-01-01"]}, features={"t": {"kind": "datetime", "timezone": "Mars/Olympus"}}
        )


def test_target_weight_and_event_time_may_not_be_null(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {
            "y": ["a", None, "b", "a", "b", "a"],
            "w": ["1", "1", None, "-1", "0", "1"],
            "t": ["2024-01-01", "2024-01-01", "2024-01-01", "2024-01-01", "2024-01-01", None],
        },
        target={"column": "y", "kind": "binary"},
        weight="w",
        event_time={"column": "t", "timezone": "UTC"},
    )
    assert {(item.column, item.reason) for item in found.rejects} == {
        ("y", "is null"),
        ("w", "is null"),
        ("w", "is negative"),
        ("t", "is null"),
    }
    assert found.table.to_pyarrow()["mlspec_row"].to_pylist() == [0, 4]


def test_a_feature_may_be_null_in_every_kind(tmp_path: Path) -> None:
    kinds: dict[str, Any] = {
        "n": "number",
        "c": "category",
        "b": "binary",
        "t": {"kind": "datetime", "timezone": "UTC"},
    }
    found = read(tmp_path, {name: [None, None] for name in kinds} | {"y": ["1", "2"]}, features=kinds)
    assert found.rejected == 0
    assert found.table.to_pyarrow().select(list(kinds)).to_pylist() == [dict.fromkeys(kinds)] * 2


def test_what_is_read_passes_the_door(tmp_path: Path) -> None:
    values = [
        "1",
        "a\0b",
        "\ufdd0",
        "",
        "é",
        "e\u0301",
        "9007199254740993",
        "nan",
        "2024-03-31 02:30",
        "x" * 100_000,
        None,
        "-0",
    ]
    columns = {"n": values, "c": values, "t": values, "keep": ["k"] * len(values)}
    features = {"n": "number", "c": "category", "t": {"kind": "datetime", "timezone": "Europe/Berlin"}}
    for name in features:
        found = read(tmp_path, columns, features={name: features[name]})
        kind = "datetime" if name == "t" else "number" if name == "n" else "string"
        column = InputColumn(
            name=name,
            kind="x",
            tensor="string" if name == "c" else "float64",
            type=kind,
            timezone="Europe/Berlin",
        )
        batch = found.table.select(name).to_pyarrow().combine_chunks().to_batches()[0]
        assert len(to_tensors(batch, [column])[name]) == found.rows - found.rejected > 0
        assert found.rejected > 0


def test_types_of_text_follow_its_values(tmp_path: Path) -> None:
    columns: dict[str, list[str | None]] = {
        "whole": ["1", "-7", None],
        "padded": ["01", "1", "2"],
        "flag": ["true", "false", None],
        "shouted": ["True", "False", "True"],
        "mixed": ["1", "a", "b"],
        "none": [None, None, None],
    }
    reading = read(
        tmp_path,
        {**columns, "n": ["1", "2", "3"]},
        features={**dict.fromkeys(columns, "category"), "n": "number"},
    )
    assert reading.types() == {
        "whole": "integer",
        "padded": "string",
        "flag": "boolean",
        "shouted": "string",
        "mixed": "string",
        "none": "string",
        "n": "number",
    }


def test_ignored_columns_are_not_read_and_others_are_carried(tmp_path: Path) -> None:
    found = read(
        tmp_path, {"a": ["1"], "b": ["x"], "c": ["y"]}, features={"a": "number"}, ignore=["b"], key=["c"]
    )
    assert found.table.columns == ("mlspec_row", "a", "c")


def test_a_column_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="the source has no column 'age'") as told:
        read(tmp_path, {"a": ["1"]}, features={"age": "number"})
    assert told.value.fix == "it has a"


def test_one_column_cannot_be_two_things(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="'a' cannot be both category and weight"):
        read(tmp_path, {"a": ["1"]}, features={"a": "category"}, weight="a")


def test_a_sample_is_spread_over_the_rows(tmp_path: Path) -> None:
    found = read(tmp_path, {"x": [str(row) for row in range(1000)]}, features={"x": "number"}, sample=7)
    rows = found.table.to_pyarrow()["mlspec_row"].to_pylist()
    assert len(rows) == found.rows == 7
    assert all(130 < later - row < 150 for row, later in itertools.pairwise(rows))
    assert read(tmp_path, {"x": ["1", "2"]}, features={"x": "number"}, sample=7).rows == 2


def test_max_rejects_is_a_share_that_is_obeyed(tmp_path: Path) -> None:
    rows: list[str | None] = ["1"] * 98 + ["x", "y"]
    found = read(tmp_path, {"x": rows}, features={"x": "number"}, max_rejects=0.02)
    assert found.check().rejected == 2
    with pytest.raises(
        CheckFailed, match=r"2 of 100 rows are unreadable \(2\.000%\), and data\.max_rejects allows 1\.900%"
    ) as told:
        read_table(
            {"source": {"kind": "csv", "path": "t.csv"}, "features": {"x": "number"}, "max_rejects": 0.019},
            Context(tmp_path),
        )
    assert "column 'x' is not a finite number (row 98: 'x'; row 99: 'y')" in told.value.what
    share = float((told.value.fix or "").rpartition(" ")[2])
    assert read(tmp_path, {"x": rows}, features={"x": "number"}, max_rejects=share).check()


def test_rejecting_everything_is_told(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="no row of the source is readable"):
        read(tmp_path, {"x": ["a", "b"]}, features={"x": "number"}).check()


def test_nothing_outside_can_be_reached_after_reading(tmp_path: Path) -> None:
    found = read(tmp_path, {"x": ["1"]}, features={"x": "number"})
    with pytest.raises(Exception, match="disabled by configuration"):
        found.table.get_backend().con.execute("SELECT * FROM read_text('/etc/hostname')")


def test_wide_tables_are_read(tmp_path: Path) -> None:
    names = [f"c{place}" for place in range(400)]
    parquet.write_table(
        pa.table({name: [1.0, float(place)] for place, name in enumerate(names)}), tmp_path / "t.parquet"
    )
    data = {"source": {"kind": "parquet", "path": "t.parquet"}, "features": dict.fromkeys(names, "number")}
    assert read_table(data, Context(tmp_path, scratch=tmp_path)).count().execute() == 2


@pytest.mark.parametrize("parts", [True, False])
def test_names_that_mean_something_to_duckdb_are_plain_names(tmp_path: Path, parts: bool) -> None:
    folder = tmp_path / "a[1]*" / "year=2024"
    folder.mkdir(parents=True)
    names = ["file_row_number", "file_index", "filename", "c0", "mlspec", "year"]
    values: dict[str, list[str | None]] = {name: [f"{name} {row}" for row in range(3)] for name in names}
    csv.write_csv(pa.table(values), folder / "t.csv")
    data = {"source": {"kind": "csv", "path": "t.csv"}}
    context = Context(folder, scratch=folder / "s", parts=folder / "parts" if parts else None)
    with Reading.of(data, context) as found:
        rows = found.table.order_by("mlspec_row").to_pyarrow()
        assert rows.drop(["mlspec_row"]).to_pydict() == values
        assert rows["mlspec_row"].to_pylist() == [0, 1, 2]
        with pytest.raises(Exception, match="disabled by configuration"):
            found.table.get_backend().con.execute(f"SELECT * FROM read_csv('{tmp_path}/a[[]1]*/*/t.csv')")


def test_wide_rows_are_written_in_smaller_groups(tmp_path: Path) -> None:
    names = [f"c{at}" for at in range(2000)]
    (tmp_path / "t.csv").write_text("\n".join([",".join(names), *([",".join(["1"] * 2000)] * 5000)]) + "\n")
    data = {"source": {"kind": "csv", "path": "t.csv"}, "features": dict.fromkeys(names, "number")}
    with Reading.of(data, Context(tmp_path, scratch=tmp_path)) as found:
        assert found.rows == 5000 and found.table.c1999.sum().execute() == 5000
    (file,) = tmp_path.glob("rows-*/*.parquet")
    assert parquet.read_metadata(file).num_row_groups > 1


def test_long_texts_need_no_more_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_file, "MOST", 112 * 2**20)
    letters = np.random.default_rng(1).integers(97, 123, (16_000, 4_000), np.uint8).view("S4000")
    texts = [value.decode() for value in letters.ravel()]
    with read(tmp_path, {"text": texts}, features={"text": "category"}) as found:
        batches = found.table.order_by("mlspec_row").select("text").limit(3, offset=15_997).to_pyarrow()
        assert found.rows == 16_000 and batches["text"].to_pylist() == texts[-3:]
    (file,) = tmp_path.glob("rows-*/*.parquet")
    assert parquet.read_metadata(file).num_row_groups > 1
