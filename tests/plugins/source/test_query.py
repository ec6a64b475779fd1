"""Queries over files: what pandas joins, it joins; what reaches out is refused."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from pydantic import ValidationError

from mlspec.engine.reading.reading import Reading
from mlspec.errors import MissingError, StepError
from mlspec.plan.build import build_plan
from mlspec.sdk.context import Context
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot
from mlspec.spec.load import load

HOSTILE = """
SELECT * FROM read_csv('/etc/passwd')
SELECT * FROM '/etc/passwd'
SELECT * FROM "data/zones.csv"
SELECT * FROM glob('/*')
SELECT * FROM read_text('/etc/passwd')
SELECT * FROM query('SELECT 1')
SELECT * FROM query_table('trips')
SELECT * FROM trips, duckdb_settings()
SELECT * FROM main.trips
SELECT * FROM information_schema.tables
SELECT * FROM sqlite_master
SELECT * FROM other
SELECT (SELECT max(content) FROM read_blob('/etc/passwd')) FROM trips
COPY trips TO '/tmp/x'
WITH w AS (SELECT * FROM read_parquet('x')) SELECT * FROM w
ATTACH 'x.db'
INSTALL httpfs
LOAD httpfs
PRAGMA database_list
SET enable_external_access = true
SELECT 1; COPY trips TO 'x'
CALL pragma_version()
EXPORT DATABASE 'x'
IMPORT DATABASE 'x'
CREATE TABLE x AS SELECT 1
DROP TABLE trips
CHECKPOINT
SELECT getenv('HOME') FROM trips
SELECT random() FROM trips
SELECT now() FROM trips
SELECT current_date FROM trips
SELECT uuid() FROM trips
SELECT * FROM trips USING SAMPLE 3
SELECT $1 FROM trips
DESCRIBE trips
SELECT 1) ; DROP TABLE trips; --
INSERT INTO trips SELECT 1
"""
"""A query a line, each of which must be refused before anything is read."""
FILES = {"trips": "data/trips.parquet", "zones": "data/zones.csv"}


def query(sql: str, files: dict[str, str] | None = None, **options: Any) -> Any:
    return Slot("source").choose(freeze({"kind": "query", "files": files or FILES, "sql": sql, **options}))


@pytest.fixture
def here(tmp_path: Path) -> Context:
    (tmp_path / "data").mkdir()
    trips = {"id": list(range(1000)), "zone": [place * 7 % 30 for place in range(1000)], "fare": [0.1] * 1000}
    parquet.write_table(pa.table(trips), tmp_path / "data" / "trips.parquet")
    zones = "".join(f"{zone},Z{zone % 5}\n" for zone in range(0, 30, 2))
    (tmp_path / "data" / "zones.csv").write_text(f"zone,name\n{zones}")
    return Context(tmp_path, scratch=tmp_path)


def rows(source: Any, here: Context, **features: str) -> list[dict[str, Any]]:
    found = Reading.of({"source": dict(source), "features": features}, here).check().table
    return found.order_by("mlspec_row").drop("mlspec_row").to_pyarrow().to_pylist()  # type: ignore[no-any-return]


def test_a_join_and_a_group_are_what_pandas_makes_of_them(here: Context) -> None:
    source = query(
        "WITH named AS (SELECT zone::BIGINT AS zone, name FROM zones) "
        "SELECT name, count(*) AS n, sum(fare) AS fares FROM trips LEFT JOIN named USING (zone) GROUP BY name"
    )
    assert source.columns(here) == ("name", "n", "fares")
    found = pd.DataFrame(rows(source, here, n="number", fares="number", name="category"))
    trips, zones = (
        pd.read_parquet(here.workspace / FILES["trips"]),
        pd.read_csv(here.workspace / FILES["zones"]),
    )
    wanted = trips.merge(zones, how="left").groupby("name", dropna=False)
    wanted = wanted.agg(n=("id", "size"), fares=("fare", "sum")).reset_index()
    pd.testing.assert_frame_equal(found, wanted[list(found)], check_dtype=False, rtol=1e-12)


def test_rows_come_in_one_order_which_order_by_begins(here: Context) -> None:
    source = query("SELECT zone, id FROM trips", order_by=["zone"])
    found = [(row["zone"], row["id"]) for row in rows(source, here)]
    assert found == sorted(found)
    backwards = parquet.read_table(here.workspace / FILES["trips"]).to_pylist()[::-1]
    parquet.write_table(pa.Table.from_pylist(backwards), here.workspace / FILES["trips"])
    assert [(row["zone"], row["id"]) for row in rows(source, here)] == found
    with pytest.raises(StepError, match="order_by names 'x'"):
        query("SELECT zone FROM trips", order_by=["x"]).columns(here)
    with pytest.raises(ValidationError, match="'order_by' orders the rows"):
        query("SELECT zone FROM trips ORDER BY zone")
    assert len(rows(query("SELECT id FROM trips ORDER BY id DESC LIMIT 3"), here)) == 3


@pytest.mark.parametrize("sql", HOSTILE.strip().splitlines())
def test_what_reaches_out_or_changes_is_refused_with_the_spec(sql: str) -> None:
    with pytest.raises(ValidationError):
        query(sql)


def test_the_second_wall_holds_where_the_first_is_taken_down(
    here: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlspec.engine.reading import query_rows

    monkeypatch.setattr(query_rows, "selection", lambda text, dialect: text)
    source = query("SELECT * FROM trips")
    for sql in (
        "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM '/etc/passwd'", "SELECT * FROM glob('/*')",
        "SELECT content FROM read_text('/etc/passwd')",
        "SELECT 1) AS a; COPY trips TO 'x.csv'; SELECT * FROM (SELECT 1",
        "SELECT 1) AS a; SET enable_external_access = true; SELECT * FROM (SELECT 1",
        "SELECT 1) AS a; ATTACH 'x.db'; SELECT * FROM (SELECT 1",
        "SELECT 1) AS a; INSTALL httpfs; SELECT * FROM (SELECT 1",
    ):  # fmt: skip
        with pytest.raises(StepError, match="the query cannot be answered"):
            source.model_copy(update={"sql": sql}).read(here)
    assert not list(here.workspace.glob("x.*"))


def test_what_does_not_suit_the_tables_is_told(here: Context) -> None:
    for sql, told in (
        ("SELECT nothing FROM trips", "nothing"),
        ("SELECT * FROM trips JOIN zones USING (id)", "id"),
        ("SELECT sum(name) FROM zones", "sum"),
    ):
        with pytest.raises(StepError, match=told):
            query(sql).columns(here)
    with pytest.raises(MissingError, match=r"there is no file 'data/none\.csv'"):
        query("SELECT * FROM t", {"t": "data/none.csv"}).columns(here)
    (here.workspace / "book.xlsx").touch()
    with pytest.raises(StepError, match="does not say how the table 't' is read"):
        query("SELECT * FROM t", {"t": "book.xlsx"}).columns(here)
    for files in ({}, {"a b": "x.csv"}, {"a;drop": "x.csv"}, {"t": "s3://k:s@b/x.csv"}):
        with pytest.raises(ValidationError):
            Slot("source").choose({"kind": "query", "files": files, "sql": "SELECT 1"})


def test_rows_that_a_file_could_not_give_are_counted(here: Context) -> None:
    with open(here.workspace / "data" / "zones.csv", "a") as file:
        file.write("1,2,3\n4\n")
    (here.workspace / "log.jsonl").write_text('{"zone": 1, "at": "2024-01-01"}\n[1]\n')
    source = query(
        "SELECT l.at, z.name FROM log AS l LEFT JOIN zones AS z USING (zone)", {**FILES, "log": "log.jsonl"}
    )
    found = Reading.of({"source": dict(source), "max_rejects": 1.0}, here)
    assert sorted((item.reason, item.rows) for item in found.rejects) == [
        ("table 'log': no JSON object", 1),
        ("table 'zones': too few values for the header", 1),
        ("table 'zones': too many values for the header", 1),
    ]
    assert [row["at"] for row in found.table.to_pyarrow().to_pylist()] == ["2024-01-01"]


def test_folders_named_like_columns_are_columns_of_the_table(here: Context) -> None:
    for year in (2023, 2024):
        part = here.workspace / "parts" / f"year={year}" / "p.parquet"
        part.parent.mkdir(parents=True)
        parquet.write_table(pa.table({"at": [dt.datetime(year, 1, 1)]}), part)
    source = query("SELECT year::INTEGER AS year, at FROM p", {"p": "parts/*/*.parquet"})
    assert source.dependencies() is None
    assert [row["year"] for row in rows(source, here)] == [2023, 2024]


def test_paths_start_at_the_specs_folder_and_every_file_is_watched(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    spec = tmp_path / "specs" / "spec.yaml"
    spec.parent.mkdir()
    parquet.write_table(pa.table({"a": [1.5], "y": [True]}), tmp_path / "t.parquet")
    (tmp_path / "specs" / "z.jsonl").write_text(json.dumps({"b": 1}))
    spec.write_text(
        "apiVersion: mlspec/v1\nname: joined\ndata:\n  source:\n    kind: query\n"
        "    files: {t: ../t.parquet, z: z.jsonl}\n    sql: SELECT a, b, y FROM t, z\n"
        "  target: {column: y, kind: binary}\n  features: {a: number, b: number}\nmodel: linear\n"
    )
    plan = build_plan(load(spec).spec, spec_path="specs/spec.yaml")
    ingest = plan.step("ingest")
    assert ingest.dependencies == ("specs/z.jsonl", "t.parquet") and not ingest.always
    found = Slot("source").choose(freeze(ingest.parameters["data"]["source"]))
    assert rows(found, Context(tmp_path, scratch=tmp_path)) == [{"a": 1.5, "b": "1", "y": True}]  # type: ignore[arg-type]


def test_the_fingerprint_is_of_each_file(here: Context) -> None:
    source = query("SELECT * FROM trips")
    before = source.fingerprint(here)
    assert set(before["tables"]) == set(FILES)
    with open(here.workspace / "data" / "zones.csv", "a") as file:
        file.write("31,Z1\n")
    assert source.fingerprint(here) != before
