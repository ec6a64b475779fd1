"""Rows of a database, read once into one of our own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyarrow as pa

from mlspec.engine.database import database
from mlspec.engine.reading.asked import Answer, Asked, Database
from mlspec.engine.reading.check_asked import check_asked
from mlspec.engine.reading.database_file import database_file
from mlspec.engine.reading.duckdb_file import duckdb_file
from mlspec.engine.reading.ibis_server import ibis_server
from mlspec.engine.reading.in_order import in_order
from mlspec.engine.reading.postgres import postgres
from mlspec.engine.reading.server_url import POSTGRES, scheme_of, server_url
from mlspec.engine.reading.sqlite_file import sqlite_file
from mlspec.errors import MissingError, StepError
from mlspec.sdk.context import Context

TABLE, TAKEN = "mlspec_sql", "mlspec_taken"


def sql_columns(asked: Asked) -> tuple[str, ...]:
    """Return the names of the columns; no row is read."""
    with _database(asked)(asked) as answer:
        return _checked(asked, answer.schema)


def sql_rows(asked: Asked, context: Context) -> ibis.Table:
    """Return the rows of one snapshot, in an order that is the same each time.

    Rows are ordered by the columns that were asked for, then by all of them: rows that are still equal are
    one and the same.
    """
    connection = database(context)
    with _database(asked)(asked) as answer:
        schema = answer.schema
        columns, numbers = _checked(asked, schema), answer.numbers
        _take(connection.con, schema, answer)
        found = answer.digest() or _digest(connection.con)
        taken = _fingerprint(schema, found)
    connection.con.execute(f"CREATE TABLE {TAKEN} AS SELECT ? AS fingerprint", [json.dumps(taken)])
    rows: ibis.Table = connection.sql(
        in_order(TABLE, connection.con, columns, asked.order_by, numbers), dialect="duckdb"
    )
    return rows


def _take(connection: Any, schema: pa.Schema, answer: Answer) -> None:
    """Copy the rows in this thread, so that a driver's fault comes as it is."""
    nothing = schema.empty_table()
    try:
        connection.register("mlspec_batch", nothing)
        connection.execute(f"CREATE TABLE {TABLE} AS SELECT * FROM mlspec_batch")
        for batch in answer.batches():
            connection.register("mlspec_batch", pa.Table.from_batches([batch]))
            connection.execute(f"INSERT INTO {TABLE} SELECT * FROM mlspec_batch")
        connection.unregister("mlspec_batch")
    except duckdb.Error as error:
        raise StepError(f"the rows cannot be taken over: {_first(error)}", where="data.source") from error


def fingerprint_taken(table: ibis.Table) -> dict[str, Any]:
    """Return the fingerprint of rows that `sql_rows` read."""
    noted = table.get_backend().con.execute(f"SELECT fingerprint FROM {TAKEN}").fetchone()
    found: dict[str, Any] = json.loads(noted[0])
    return found


def sql_fingerprint(asked: Asked, context: Context) -> dict[str, Any]:
    """Return the fingerprint of the rows as they are now; a server reckons it itself."""
    with _database(asked)(asked) as answer:
        found = answer.digest()
        if found is not None:
            return _fingerprint(answer.schema, found)
    return fingerprint_taken(sql_rows(asked, context))


def _fingerprint(schema: pa.Schema, digest: Mapping[str, Any]) -> dict[str, Any]:
    return {"columns": {field.name: str(field.type) for field in schema}, **digest}


def _digest(connection: Any) -> dict[str, Any]:
    """Return rows and a hash, reckoned here: sums of the two halves of each row's MD5."""
    text = f"to_json({TABLE})::VARCHAR"
    rows, low, high = connection.execute(
        f"SELECT count(*), coalesce(sum(md5_number_lower({text})), 0), "
        f"coalesce(sum(md5_number_upper({text})), 0) FROM {TABLE}"
    ).fetchone()
    return {"rows": rows, "md5": f"{low:x}-{high:x}"}


def _checked(asked: Asked, schema: pa.Schema) -> tuple[str, ...]:
    what = f"the table '{asked.table}'" if asked.table else "the query"
    return check_asked(tuple(schema.names), what, asked.order_by)


def _database(asked: Asked) -> Database:
    """Return what reads such a database; a file says itself what it is."""
    if asked.file is None:
        return postgres if scheme_of(server_url(str(asked.url))) in POSTGRES else ibis_server
    file = Path(asked.file)
    if not file.is_file():
        raise MissingError(
            f"there is no file '{asked.path}'",
            where="data.source.path",
            fix="check the path; it starts at the spec's folder",
        )
    kind = database_file(file)
    if kind is None:
        raise StepError(f"'{asked.path}' is no SQLite and no DuckDB file", where="data.source.path")
    return sqlite_file if kind == "sqlite" else duckdb_file


def _first(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
