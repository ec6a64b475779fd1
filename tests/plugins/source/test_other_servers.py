"""Servers that Ibis connects to: a real MariaDB server, and what is told of others."""

from __future__ import annotations

import datetime as dt
import hashlib
import socket
import sys
import traceback
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import pytest
from pydantic import ValidationError

from mlspec.engine.reading.kept_rows import keep_rows
from mlspec.engine.reading.reading import Reading
from mlspec.engine.reading.server_url import masked
from mlspec.errors import MissingError, StepError
from mlspec.sdk.context import Context
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot
from tests.plugins.source.mariadb_server import Server, mariadb_server

PASSWORD = "hunter2-and-more"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with mariadb_server() as found:
        yield found


def sql(**options: Any) -> Any:
    return Slot("source").choose(freeze({"kind": "sql", **options}))


def here(folder: Path) -> Context:
    return Context(folder, scratch=folder)


def test_every_type_of_mariadb_keeps_its_values(server: Server, tmp_path: Path) -> None:
    server.run(
        "CREATE TABLE kinds (id BIGINT UNSIGNED, s SMALLINT, flag BOOLEAN, f FLOAT, d DOUBLE, "
        "money DECIMAL(12, 2), large DECIMAL(65, 30), w VARCHAR(20), long_text TEXT, e ENUM('sad', 'happy'), "
        "day DATE, local DATETIME(6), instant TIMESTAMP(6) NULL, took TIME(2), y YEAR, j JSON, "
        "raw VARBINARY(10), bits BIT(9), u UUID)",
        "INSERT INTO kinds VALUES (9007199254740993, -7, true, 1.5, 2.5, 3.25, -123456789.000000001, 'é', "
        "'x', 'sad', '2024-02-03', '2024-02-03 04:05:06.7', '2024-02-03 04:05:06.7', '-26:03:04.5', 2024, "
        "'{\"a\": 1}', x'00ff', b'101010101', 'c0ffee00-0000-4000-8000-000000000001')",
        f"INSERT INTO kinds (id) VALUES (18446744073709551615), (1), {', '.join(['(NULL)'] * 3)}",
    )
    source = sql(url=server.url, table="kinds", order_by=["id"])
    rows = source.read(here(tmp_path)).to_pyarrow().to_pylist()
    assert [row["id"] for row in rows] == [1, 9007199254740993, 18446744073709551615, None, None, None]
    moment = dt.datetime(2024, 2, 3, 4, 5, 6, 700000)
    assert rows[1] | {"u": str(rows[1]["u"])} == {
        "id": 9007199254740993, "s": -7, "flag": 1, "f": 1.5, "d": 2.5, "money": Decimal("3.25"),
        "large": "-123456789.000000001000000000000000000000", "w": "é", "long_text": "x", "e": "sad",
        "day": dt.date(2024, 2, 3), "local": moment, "instant": moment.replace(tzinfo=dt.UTC),
        "took": "-26:03:04.500000", "y": 2024, "j": '{"a": 1}', "raw": b"\x00\xff", "bits": 0b101010101,
        "u": "c0ffee00-0000-4000-8000-000000000001",
    }  # fmt: skip
    assert {name for name, value in rows[0].items() if value is not None} == {"id"}
    features = {"money": "number", "large": "number", "w": "category", "flag": "binary", "y": "number"}
    times = {"kind": "datetime", "timezone": "Europe/Berlin"}
    data = {
        "source": dict(sql(url=server.url, query="SELECT * FROM kinds WHERE w IS NOT NULL")),
        "features": {**features, "local": times, "instant": "datetime", "day": times},
        "ignore": ["j", "raw", "u", "id"],
    }
    (row,) = Reading.of(data, here(tmp_path)).check().table.to_pyarrow().to_pylist()
    assert (row["money"], row["large"], row["flag"], row["y"]) == (3.25, -123456789.000000001, "1", 2024.0)
    assert row["local"] == row["instant"] - dt.timedelta(hours=1)


def test_order_and_kept_bytes_are_the_same_however_the_rows_lie(server: Server, tmp_path: Path) -> None:
    found = []
    for at, order in enumerate(("seq", "-seq", "md5(seq)")):
        server.run(
            "DROP TABLE IF EXISTS lying",
            "CREATE TABLE lying AS SELECT seq % 3 AS third, "
            "CAST(CAST(seq % 50 AS SIGNED) - 25 AS DECIMAL(65, 30)) AS large, "
            f"concat('é', seq % 7) AS w FROM seq_1_to_40000 ORDER BY {order}",
        )
        source = sql(url=server.url, table=f"{server.name}.lying", order_by=["large", "third"])
        folder = tmp_path / str(at)
        folder.mkdir()
        taken = keep_rows(source, folder, here(folder))
        found.append((taken, hashlib.sha256((folder / "rows.parquet").read_bytes()).hexdigest()))
        assert taken == source.fingerprint(here(folder))
        places = [int(Decimal(value)) for value in source.read(here(folder)).large.to_pyarrow().to_pylist()]
        assert places == sorted(places) and len(places) == 40_000
    assert found[0] == found[1] == found[2]
    server.run("UPDATE lying SET w = 'x' WHERE third = 1 LIMIT 1")
    assert source.fingerprint(here(tmp_path)) != found[0][0]


def test_nothing_can_be_written_through_a_query(server: Server, tmp_path: Path) -> None:
    server.run(
        "CREATE OR REPLACE TABLE t AS SELECT 1 AS a",
        "CREATE OR REPLACE FUNCTION clean() RETURNS INT MODIFIES SQL DATA BEGIN DELETE FROM t; RETURN 1; END",
    )
    with pytest.raises(StepError, match="READ ONLY transaction"):
        sql(url=server.url, query=f"SELECT {server.name}.clean() AS a").read(here(tmp_path))
    assert sql(url=server.url, query="SELECT `a` FROM `t`").read(here(tmp_path)).count().execute() == 1
    for query in (
        "SELECT 1 INTO OUTFILE 'x'", "SELECT a FROM t INTO @x", "SELECT a FROM t FOR UPDATE",
        "SELECT @@version", "SELECT 1; SELECT 2", "DELETE FROM t",
        "SELECT a FROM t LOCK IN SHARE MODE", "CALL clean()",
    ):  # fmt: skip
        with pytest.raises(ValidationError):
            sql(url=server.url, query=query)


def test_the_sql_of_a_query_is_that_of_the_server(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.run("CREATE OR REPLACE TABLE t AS SELECT 1 AS a")
    with pytest.raises(ValidationError, match="SQL query"):
        sql(url="postgresql://h/d", query="SELECT `a` FROM `t`")
    monkeypatch.setenv("SHOP_URL", server.url)
    unknown = sql(url="${oc.env:SHOP_URL}", query="SELECT a::int FROM t QUALIFY row_number() OVER () = 1")
    with pytest.raises(StepError):
        unknown.columns(here(tmp_path))
    text = sql(url="${oc.env:SHOP_URL}", query='SELECT "a" AS `b` FROM `t` -- all')
    assert text.read(here(tmp_path)).to_pyarrow().to_pylist() == [{"b": "a"}]


def test_a_server_that_is_away_is_told_without_what_may_be_a_password(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = sql(url="${oc.env:SHOP_URL}", table="t")
    place = server.url.partition("@")[2].partition("/")[0]
    for url, why in (
        (f"mysql://u:{PASSWORD}@127.0.0.1:1/d", "Can't connect"),
        (f"mysql://nobody:{PASSWORD}@{place}/d", "Access denied"),
        (f"mysql://u:x@127.0.0.1:{PASSWORD}/d", "ValueError"),
        (f"mysql://{place}/d?{PASSWORD}=1", "TypeError"),
    ):
        monkeypatch.setenv("SHOP_URL", url)
        with pytest.raises(
            MissingError, match=f"the database that 'SHOP_URL' names cannot be reached: {why}"
        ) as told:
            source.columns(here(tmp_path))
        assert PASSWORD not in "".join(traceback.format_exception(told.value))
    with pytest.raises(MissingError, match=r"the database mysql://root@127.0.0.1:1/d cannot be reached"):
        sql(url="mysql://root@127.0.0.1:1/d", table="t").columns(here(tmp_path))
    for url in (f"mysql://u:{PASSWORD}@h/d", f"trino://u@h/c/s?password={PASSWORD}"):
        with pytest.raises(ValidationError, match="without a password"):
            sql(url=url, table="t")


def test_a_server_that_says_nothing_is_left_after_the_seconds_of_the_url(tmp_path: Path) -> None:
    pytest.importorskip("MySQLdb", reason="MySQL's driver is not built here")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"mysql://reader@127.0.0.1:{silent.getsockname()[1]}/shop?connect_timeout=1"
        with pytest.raises(MissingError, match="cannot be reached: Lost connection"):
            sql(url=url, table="t").columns(here(tmp_path))


def test_what_the_server_refuses_is_told_in_its_words(server: Server, tmp_path: Path) -> None:
    server.run("CREATE OR REPLACE TABLE t AS SELECT 1 AS a")
    for options, told in (
        ({"table": "nowhere"}, "no table or view 'nowhere'"),
        ({"query": "SELECT b FROM t"}, "Unknown column 'b'"),
        ({"table": "t", "order_by": ["j"]}, "order_by names 'j'"),
    ):
        with pytest.raises(StepError, match=told):
            sql(url=server.url, **options).columns(here(tmp_path))


@pytest.mark.parametrize(
    ("url", "error", "told", "fix"),
    [
        ("mysql://h/d", MissingError, "packages for 'mysql'", "pip install 'mlspec[mysql]'"),
        ("trino://u@h:8080/lake/sales", MissingError, "packages for 'trino'", "pip install 'mlspec[trino]'"),
        ("bigquery://project/set", MissingError, "for 'bigquery'", "pip install 'mlspec[bigquery]'"),
        ("snowflake://u@a/d/s?warehouse=w", MissingError, "'snowflake'", "pip install 'mlspec[snowflake]'"),
        ("pyspark://", MissingError, "for 'pyspark'", "pip install 'mlspec[pyspark]'"),
        ("clickhouse://h", MissingError, "'clickhouse'", "pip install 'ibis-framework[clickhouse]'"),
        ("mariadb://h/d", StepError, "called 'mariadb'", "MariaDB is read as mysql"),
        ("duckdb://h/d", StepError, "called 'duckdb'", "a SQLite or DuckDB file is named by path:"),
    ],
)
def test_what_is_missing_and_what_there_is_not_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, error: type[Exception], told: str, fix: str
) -> None:
    scheme = url.partition(":")[0]
    for module in (
        "MySQLdb",
        "trino",
        "google.cloud",
        "snowflake.connector",
        "pyspark",
        "clickhouse_connect",
    ):
        monkeypatch.setitem(sys.modules, module, None)
    for module in [name for name in sys.modules if name.startswith(f"ibis.backends.{scheme}")]:
        monkeypatch.delitem(sys.modules, module)
    if scheme != "duckdb":
        monkeypatch.delitem(vars(ibis), scheme, raising=False)
    with pytest.raises(error, match=told) as caught:
        sql(url=url, table="t").columns(here(tmp_path))
    assert fix in str(caught.value.fix)  # type: ignore[attr-defined]


def test_only_postgresql_computes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_URL", f"mysql://u:{PASSWORD}@h/d")
    source = sql(url="${oc.env:SHOP_URL}", table="t", compute="database")
    for ask in (lambda: source.columns(here(tmp_path)), source.snapshot):
        with pytest.raises(StepError, match="compute: database is for PostgreSQL") as told:
            ask()
        assert told.value.where == "data.source.compute"


def test_words_of_a_driver_are_masked() -> None:
    url = f"snowflake://u:{PASSWORD}%21@a/d/s?warehouse=small&private_key={PASSWORD}2&x=y"
    told = masked(f"no {url}\n{PASSWORD}! of {PASSWORD}2 in small", url)
    assert told == "no *** *** of *** in small"
