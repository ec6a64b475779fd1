"""Queries in a real PostgreSQL, held against the ONNX file that they are written from."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from mlspec.engine.querying.ask import refused
from mlspec.engine.querying.query import query
from tests import hostile, queried
from tests.plugins.source.postgres_server import Server, postgres_server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_server() as found:
        yield found


def stored(server: Server, table: str, rows: pa.Table) -> None:
    """Put rows into a table of the server, times in microseconds as it keeps them."""
    from adbc_driver_postgresql import dbapi

    fields = [
        pa.field(field.name, pa.timestamp("us", field.type.tz))
        if pa.types.is_timestamp(field.type)
        else field
        for field in rows.schema
    ]
    with dbapi.connect(server.url) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest(table, rows.cast(pa.schema(fields)), mode="create", db_schema_name=server.schema)
        connection.commit()


def told(server: Server, text: str, *settings: str) -> pa.Table:
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(server.url) as connection, connection.cursor() as cursor:
        for setting in settings:
            cursor.execute(setting)
        cursor.execute(f"SELECT * FROM ({text}) AS answers ORDER BY place")
        return cursor.fetch_arrow_table()


@pytest.fixture(scope="module")
def rows(server: Server) -> pa.RecordBatch:
    found = hostile.legal(seed=3)
    places = pa.array(range(found.num_rows))
    stored(server, "people", pa.Table.from_batches([found]).append_column("place", places))
    return found


@pytest.mark.parametrize("kind", queried.TARGETS)
@pytest.mark.parametrize("model", queried.MODELS)
def test_the_server_answers_every_hostile_row_as_the_file_does(
    model: str, kind: str, server: Server, rows: pa.RecordBatch, tmp_path: Path
) -> None:
    joined = queried.joined(model, kind, tmp_path)
    text = query(joined.model, joined.contract, f"{server.schema}.people", ("place",)).text("postgresql")
    queried.held(told(server, text), joined, rows)


@pytest.mark.parametrize("calibration", queried.CALIBRATED)
def test_the_server_calibrates(
    calibration: str, server: Server, rows: pa.RecordBatch, tmp_path: Path
) -> None:
    joined = queried.joined("linear", "binary", tmp_path, calibration=calibration)
    text = query(joined.model, joined.contract, f"{server.schema}.people", ("place",)).text("postgresql")
    queried.held(told(server, text), joined, rows)


def test_a_view_has_the_columns_of_the_table_and_no_setting_changes_its_answers(
    server: Server, rows: pa.RecordBatch, tmp_path: Path
) -> None:
    joined = queried.joined("linear", "category", tmp_path)
    text = query(joined.model, joined.contract, f"{server.schema}.people", None).text("postgresql")
    server.run("SET standard_conforming_strings = off", f"CREATE VIEW scored AS {text}")
    off = (
        "SET standard_conforming_strings = off",
        "SET TimeZone = 'Asia/Tokyo'",
        "SET extra_float_digits = 0",
    )
    found = told(server, f"SELECT * FROM {server.schema}.scored", *off)
    shares = [f"probability_{name}" for name in joined.contract.target.classes]
    assert found.column_names == [*rows.schema.names, "place", "label", *shares, "refused"]
    queried.held(found, joined, rows)


def test_values_that_the_door_refuses_have_no_answer(server: Server, tmp_path: Path) -> None:
    good = hostile.legal(seed=6, rows=6).slice(0, 1)
    table = pa.Table.from_batches([good] * 6).append_column("place", pa.array(range(6)))
    stored(server, "odd", table)
    server.run(
        "UPDATE odd SET number = 'Infinity' WHERE place = 0",
        "UPDATE odd SET whole = 9007199254740993 WHERE place = 1",
        "UPDATE odd SET text = U&'\\FDD0' WHERE place = 2",
        "UPDATE odd SET moment = 'infinity' WHERE place = 3",
        "UPDATE odd SET number = 'NaN', whole = -9007199254740992 WHERE place = 4",
    )
    joined = queried.joined("linear", "binary", tmp_path)
    text = query(joined.model, joined.contract, f"{server.schema}.odd", ("place",)).text("postgresql")
    found = told(server, text)
    columns = ["number", "whole", "text", "moment", None, None]
    for reason, column in zip(refused(found), columns, strict=True):
        assert (reason is None) if column is None else f"column '{column}'" in (reason or "")
    assert [label is None for label in found.column("label").to_pylist()] == [True] * 4 + [False] * 2


def test_numbers_of_every_type_are_read_as_the_door_reads_them(server: Server, tmp_path: Path) -> None:
    joined = queried.joined("linear", "binary", tmp_path)
    good = hostile.legal(seed=7, rows=200)
    places = pa.array(range(200))
    stored(server, "typed", pa.Table.from_batches([good]).append_column("place", places))
    plain = query(joined.model, joined.contract, f"{server.schema}.typed", ("place",)).text("postgresql")
    before = told(server, plain)
    server.run(
        "ALTER TABLE typed ALTER whole TYPE numeric(30, 4)",
        "ALTER TABLE typed ALTER code TYPE text",
        "ALTER TABLE typed ALTER flag TYPE varchar(5) USING flag::text",
        "ALTER TABLE typed ALTER day TYPE timestamptz USING day::timestamp AT TIME ZONE 'UTC'",
    )
    assert told(server, plain).equals(before)
