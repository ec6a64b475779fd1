"""Databases: a real PostgreSQL server, SQLite files and DuckDB files."""

from __future__ import annotations

import datetime as dt
import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic import ValidationError

from mlspec.engine.reading.kept_rows import keep_rows
from mlspec.engine.reading.reading import Reading
from mlspec.errors import MissingError, StepError
from mlspec.sdk.context import Context
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot
from tests.plugins.source.postgres_server import Server, postgres_server

PASSWORD = "hunter2-and-more"


@pytest.fixture
def server() -> Iterator[Server]:
    with postgres_server() as found:
        yield found


def sql(**options: Any) -> Any:
    return Slot("source").choose(freeze({"kind": "sql", **options}))


def here(folder: Path) -> Context:
    return Context(folder, scratch=folder)


def sqlite(file: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(file)) as made:
        for statement in statements:
            made.execute(statement)
        made.commit()
    return file


def read(source: Any, folder: Path, **features: Any) -> list[dict[str, Any]]:
    data = {"source": dict(source), "features": features}
    rows = Reading.of(data, here(folder)).check().table.order_by("mlspec_row").drop("mlspec_row")
    return rows.to_pyarrow().to_pylist()  # type: ignore[no-any-return]


def test_every_type_of_postgresql_is_what_the_door_takes(server: Server, tmp_path: Path) -> None:
    server.run(
        "CREATE TYPE mood AS ENUM ('sad', 'happy')",
        "CREATE TABLE t AS SELECT i::bigint AS id, i * 1.5::float8 AS f, (i / 4.0)::numeric(10,2) AS money, "
        "'w' || i AS w, i % 2 = 0 AS b, ('2024-07-0' || i)::date AS d, "
        "'2024-07-01 12:00+02'::timestamptz AS z, "
        "'2024-07-01 12:00'::timestamp AS n, '{\"a\": 1}'::jsonb AS j, i::smallint AS s, "
        "'c0ffee00-0000-4000-8000-00000000000' AS half, "
        "('c0ffee00-0000-4000-8000-00000000000' || i)::uuid AS u, 'sad'::mood AS m, "
        "CASE WHEN i > 1 THEN i END AS maybe FROM generate_series(1, 3) AS i",
    )
    source = sql(url=server.url, table=f"{server.schema}.t", order_by=["id"])
    times = {"kind": "datetime", "timezone": "Europe/Berlin"}
    rows = read(
        source, tmp_path, id="number", f="number", money="number", w="category", b="binary", d=times,
        z="datetime", n=times, j="category", s="category", u="category", m="category", maybe="number",
    )  # fmt: skip
    assert [row["id"] for row in rows] == [1, 2, 3]
    noon = dt.datetime(2024, 7, 1, 10, tzinfo=dt.UTC)
    assert rows[1] == {
        "id": 2.0, "f": 3.0, "money": 0.5, "w": "w2", "b": "true", "z": noon, "n": noon, "j": '{"a": 1}',
        "d": dt.datetime(2024, 7, 1, 22, tzinfo=dt.UTC), "s": "2", "m": "sad", "maybe": 2.0,
        "half": "c0ffee00-0000-4000-8000-00000000000", "u": "c0ffee00-0000-4000-8000-000000000002",
    }  # fmt: skip
    assert rows[0]["maybe"] is None
    assert source.columns(here(tmp_path)) == tuple(rows[0])


def test_infinite_times_are_infinite(server: Server, tmp_path: Path) -> None:
    server.run(
        "CREATE TABLE t AS SELECT i, CASE i WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity' ELSE 'epoch' "
        "END AS w FROM generate_series(1, 3) AS i"
    )
    for kind in ("timestamptz", "timestamp", "date"):
        source = sql(url=server.url, query=f"SELECT i, w::{kind} AS w FROM {server.schema}.t", order_by=["i"])
        data = {"source": dict(source), "features": {"w": {"kind": "datetime", "timezone": "UTC"}}}
        reading = Reading.of(data, here(tmp_path))
        assert [(item.reason, item.rows) for item in reading.rejects] == [("is infinite", 2)]
        assert reading.table.w.to_pyarrow().to_pylist() == [dt.datetime(1970, 1, 1, tzinfo=dt.UTC)]


def test_a_query_and_odd_names_of_tables(server: Server, tmp_path: Path) -> None:
    server.run(
        'CREATE TABLE "od""d; T" AS SELECT 1 AS "a b", \'x\' AS c', "CREATE TABLE z AS SELECT 1 AS k, 2 AS v"
    )
    odd = sql(url=server.url, table=f'{server.schema}.od"d; T')
    assert read(odd, tmp_path) == [{"a b": 1, "c": "x"}]
    joined = sql(
        url=server.url,
        query=f"WITH w AS (SELECT * FROM {server.schema}.z) -- as it is\nSELECT w.v FROM w JOIN "
        f"{server.schema}.z AS o USING (k);",
    )
    assert read(joined, tmp_path, v="number") == [{"v": 2.0}]


def test_order_and_kept_bytes_are_the_same_however_the_rows_lie(server: Server, tmp_path: Path) -> None:
    found = []
    for seed in ("id", "-id", "md5(id::text)"):
        server.run(
            "DROP TABLE IF EXISTS t",
            "CREATE TABLE t AS SELECT id, id % 3 AS third, "
            "CASE WHEN id % 2 = 0 THEN -0.0::float8 ELSE 0 END AS zero, "
            f"'é' || id % 7 AS w FROM generate_series(1, 5000) AS id ORDER BY {seed}",
        )
        source = sql(
            url=server.url, query=f"SELECT third, zero::float8, w FROM {server.schema}.t", order_by=["third"]
        )
        folder = tmp_path / hashlib.md5(seed.encode()).hexdigest()
        folder.mkdir()
        taken = keep_rows(source, folder, here(folder))
        found.append((taken, hashlib.sha256((folder / "rows.parquet").read_bytes()).hexdigest()))
        assert taken == source.fingerprint(here(folder))
    assert found[0] == found[1] == found[2]
    assert found[0][0]["rows"] == 5000
    server.run("UPDATE t SET w = 'x' WHERE id = 77")
    assert source.fingerprint(here(tmp_path)) != found[0][0]


def test_nothing_can_be_written_through_a_query(server: Server, tmp_path: Path) -> None:
    server.run(
        "CREATE TABLE t AS SELECT 1 AS a",
        f"CREATE FUNCTION clean() RETURNS int LANGUAGE sql AS 'DELETE FROM {server.schema}.t RETURNING a'",
    )
    source = sql(url=server.url, query=f"SELECT {server.schema}.clean() AS a")
    with pytest.raises(StepError, match="read-only transaction"):
        source.read(here(tmp_path))
    assert read(sql(url=server.url, table=f"{server.schema}.t"), tmp_path) == [{"a": 1}]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM t", "SELECT 1; SELECT 2", "DROP TABLE t", "INSERT INTO t VALUES (1)", "CALL f()",
        "SELECT * INTO x FROM t", "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone", "VACUUM",
        "SELECT * FROM t FOR UPDATE", "COPY t TO '/x'", "ATTACH 'x.db' AS x", "PRAGMA database_list",
        "SET search_path = x", "INSTALL httpfs", "EXPLAIN ANALYZE DELETE FROM t", "SELECT $1", "SELECT 1)",
        "not sql at all", "", "-- nothing",
    ],
)  # fmt: skip
def test_what_is_no_single_selection_is_refused_with_the_spec(query: str) -> None:
    with pytest.raises(ValidationError):
        sql(url="postgresql://db/shop", query=query)


def test_one_of_url_and_path_and_one_of_table_and_query_is_said() -> None:
    server = {"url": "postgresql://h/d"}
    both = {"path": "x", "table": "t", "query": "SELECT 1"}
    deep = {"path": "x", "table": "a.b.c"}
    for wrong in ({}, server, {"table": "t"}, {**server, "path": "x", "table": "t"}, both, deep):
        with pytest.raises(ValidationError):
            sql(**wrong)
    for rest in (f"u:{PASSWORD}@h/d", f"h/d?password={PASSWORD}", f"{PASSWORD}@h@x/d"):
        with pytest.raises(ValidationError, match="without a password"):
            sql(url=f"postgresql://{rest}", table="t")


def test_a_server_that_is_away_is_told_without_what_may_be_a_password(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import traceback

    source = sql(url="${oc.env:SHOP_URL}", table="t")
    monkeypatch.delenv("SHOP_URL", raising=False)
    with pytest.raises(MissingError, match="the environment variable 'SHOP_URL' is not set"):
        source.columns(here(tmp_path))
    for url, why in (
        (f"postgresql://u:{PASSWORD}@127.0.0.1:1/d", "Connection refused"),
        (f"postgresql://nobody:{PASSWORD}@{server.url.partition('@')[2]}", ""),
        (f"postgresql://u:{PASSWORD}@more@127.0.0.1/d", ""),
        (f"postgresql://u:x@127.0.0.1:{PASSWORD}/d", ""),
        (f"postgresql://127.0.0.1:5432/d?{PASSWORD}=1", ""),
    ):
        monkeypatch.setenv("SHOP_URL", url)
        with pytest.raises(
            MissingError, match=f"the database that 'SHOP_URL' names cannot be reached: {why}"
        ) as told:
            source.columns(here(tmp_path))
        assert PASSWORD not in "".join(traceback.format_exception(told.value))
    for url, why in (
        (f"gopher://u:{PASSWORD}@h/d", "no kind of database server is called 'gopher'"),
        (PASSWORD, "what the environment variable 'SHOP_URL' holds is no URL of a database server"),
    ):
        monkeypatch.setenv("SHOP_URL", url)
        with pytest.raises(StepError, match=why) as refused:
            source.columns(here(tmp_path))
        assert PASSWORD not in "".join(traceback.format_exception(refused.value))


def test_what_the_server_refuses_is_told_in_its_words(server: Server, tmp_path: Path) -> None:
    server.run("CREATE TABLE t AS SELECT i FROM generate_series(0, 100000) AS i")
    with pytest.raises(StepError, match='relation "nowhere" does not exist'):
        sql(url=server.url, table="nowhere").columns(here(tmp_path))
    with pytest.raises(StepError, match="division by zero"):
        sql(url=server.url, query=f"SELECT 1 / (i - 99999) AS x FROM {server.schema}.t").read(here(tmp_path))
    with pytest.raises(StepError, match="order_by names 'j'"):
        sql(url=server.url, table=f"{server.schema}.t", order_by=["j"]).columns(here(tmp_path))


def test_the_driver_is_named_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    with pytest.raises(MissingError, match="adbc-driver-postgresql") as told:
        sql(url="postgresql://h/d", table="t").columns(here(tmp_path))
    assert told.value.fix == "pip install 'mlspec[sql]'"


def test_a_sqlite_file_keeps_every_value(tmp_path: Path) -> None:
    sqlite(
        tmp_path / "shop.db",
        "CREATE TABLE t (id INTEGER, f, mixed, w TEXT, empty, raw BLOB)",
        "INSERT INTO t VALUES (2, 1.5, 7, 'é', NULL, x'00ff'), (1, 3, 'seven', '', NULL, NULL), "
        "(9007199254740993, NULL, 7.25, NULL, NULL, x'01')",
    )
    source = sql(path="shop.db", table="t", order_by=["id"])
    data = {"source": dict(source), "ignore": ["raw"], "features": {"f": "number", "mixed": "category"}}
    rows = Reading.of(data, here(tmp_path)).check().table.order_by("mlspec_row").to_pyarrow().to_pylist()
    assert [row["id"] for row in rows] == [1, 2, 9007199254740993]
    assert [row["f"] for row in rows] == [3.0, 1.5, None]
    assert [row["mixed"] for row in rows] == ["seven", "7", "7.25"]
    assert [row["w"] for row in rows] == ["", "é", None]


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_database_file_is_only_read_and_reaches_no_other(tmp_path: Path, kind: str) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    file = tmp_path / f"shop.{kind}"
    if kind == "sqlite":
        sqlite(file, "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1), (2)")
        hostile = ["SELECT load_extension('x') AS a", "SELECT readfile('secret.csv') AS a"]
    else:
        with duckdb.connect(str(file)) as made:
            made.execute("CREATE TABLE t AS SELECT * FROM range(1, 3) AS r(a)")
        secret = tmp_path / "secret.csv"
        hostile = [
            f"SELECT * FROM read_csv('{secret}')", f"SELECT * FROM '{secret}'",
            f"SELECT * FROM glob('{tmp_path}/*')", f"SELECT content AS a FROM read_text('{secret}')",
            "SELECT getenv('HOME') AS a",
            "SELECT * FROM query('COPY t TO ''x.csv''')",
        ]  # fmt: skip
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    assert read(sql(path=file.name, table="t"), tmp_path, a="number") == [{"a": 1.0}, {"a": 2.0}]
    for query in hostile:
        with pytest.raises((StepError, ValidationError)):
            sql(path=file.name, query=query).read(here(tmp_path))
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before
    assert not (tmp_path / "x.csv").exists()
    with pytest.raises(StepError, match=f"'{file.name}' does not answer: .*nowhere"):
        sql(path=file.name, table="nowhere").columns(here(tmp_path))


def test_rows_in_a_write_ahead_log_are_seen(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE t (a INTEGER)")
        made.commit()
        source = sql(path="shop.db", table="t")
        before = source.fingerprint(here(tmp_path))
        made.execute("INSERT INTO t VALUES (5)")
        made.commit()
        assert source.fingerprint(here(tmp_path)) != before
        assert source.fingerprint(here(tmp_path))["rows"] == 1


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"hello")
    with pytest.raises(StepError, match=r"'x\.db' is no SQLite and no DuckDB file"):
        sql(path="x.db", table="t").columns(here(tmp_path))
    (tmp_path / "x.db").write_bytes(b"SQLite format 3\0" + b"\1" * 5000)
    with pytest.raises(StepError, match=r"'x\.db' does not answer"):
        sql(path="x.db", table="t").columns(here(tmp_path))
    (tmp_path / "x.db").write_bytes(b"12345678DUCK" + b"\1" * 5000)
    with pytest.raises(StepError, match=r"'x\.db' does not answer"):
        sql(path="x.db", table="t").columns(here(tmp_path))
