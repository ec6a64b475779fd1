"""The answer of a query over files, in a database that reaches nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import ibis
import pyarrow as pa

from mlspec.engine.database import database
from mlspec.engine.reading.check_asked import check_asked
from mlspec.engine.reading.files import files_of
from mlspec.engine.reading.in_order import in_order
from mlspec.engine.reading.kind_of import kind_of, suffixes
from mlspec.engine.reading.marks import Marks
from mlspec.engine.reading.partitions import are_columns
from mlspec.engine.reading.refusal import told
from mlspec.engine.spill import spill
from mlspec.engine.sql import literal, quote
from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.file_source import FileSource
from mlspec.sdk.selection import selection
from mlspec.sdk.slot import Slot
from mlspec.sdk.source import Unreadable

ANSWER, LOST = "mlspec_answer", "mlspec_lost"
CASTS = "columns of CSV and JSON files are text: CAST(a AS INTEGER)"
BATCH = 65_536
"""Rows that are copied at once."""


def source_of(name: str, path: str, context: Context) -> FileSource:
    """Return what reads the files of a table; folders named like columns are columns.

    Raises:
        MissingError: there is no file.
        StepError: its name does not say its kind.
    """
    kind = kind_of(path)
    if kind is None:
        raise StepError(
            f"the name of '{path}' does not say how the table '{name}' is read",
            where="data.source.files",
            fix=f"a file or a glob that ends in one of {', '.join(suffixes())}",
        )
    options: dict[str, Any] = {"delimiter": "\t"} if kind == "csv" and ".tsv" in path.lower() else {}
    found = Slot("source").choose({"kind": kind, "path": path, **options})
    assert isinstance(found, FileSource)
    return found.model_copy(update={"hive": are_columns(path, files_of(found, context), context)})


def query_columns(
    files: Mapping[str, str], sql: str, order_by: Sequence[str], context: Context
) -> tuple[str, ...]:
    """Return the columns of the answer over tables without rows.

    Raises:
        MissingError: there is no such file.
        StepError: a file cannot be read, or the query does not suit the tables.
    """
    connection = database(context).con
    for name, path in files.items():
        source = source_of(name, path, context)
        with told(Marks.of(source, context)):
            if source.keeps:
                # Nothing is brought here for its columns.
                _make_empty(connection, name, source.header(context).empty_table())
            else:
                _make(connection, name, source.read(context))
    return _answer(connection, sql, order_by)


def query_rows(files: Mapping[str, str], sql: str, order_by: Sequence[str], context: Context) -> ibis.Table:
    """Return the answer in an order that is the same each time.

    Raises:
        MissingError: there is no such file.
        StepError: a file cannot be read, or the query does not suit the tables.
    """
    found = database(context)
    connection = found.con
    # Where the answer goes: nothing but typed rows of this very step is ever there.
    connection.execute(f"SET allowed_directories = [{literal(str(spill(context.scratch, 'rows')))}]")
    connection.execute(f"CREATE TABLE {LOST} (reason VARCHAR, lines BIGINT, examples VARCHAR)")
    for name, path in files.items():
        source = source_of(name, path, context)
        marks = Marks.of(source, context)
        with told(marks):
            table = source.read(context)
            _make(connection, name, table)
            _copy(connection, name, table)
            lost_here = source.unreadable(table)
        for lost in lost_here:
            row = [f"table '{name}': {lost.reason}", lost.rows, json.dumps(lost.examples)]
            connection.execute(f"INSERT INTO {LOST} VALUES (?, ?, ?)", row)
        marks.check()
    columns = _answer(connection, sql, order_by)
    rows: ibis.Table = found.sql(in_order(ANSWER, connection, columns, order_by), dialect="duckdb")
    return rows


def lost_rows(table: ibis.Table) -> tuple[Unreadable, ...]:
    """Return the rows that the files' own readers could not take apart."""
    found = table.get_backend().con.execute(f"SELECT * FROM {LOST} ORDER BY reason").fetchall()
    return tuple(Unreadable(reason, rows, tuple(json.loads(examples))) for reason, rows, examples in found)


def _selected(table: ibis.Table) -> str:
    """Return a query of a file's rows; values of JSON are told as text."""
    values = (
        f"({quote(name)} ->> '$') AS {quote(name)}" if dtype.is_json() else quote(name)
        for name, dtype in table.schema().items()
    )
    return f"SELECT {', '.join(values)} FROM ({ibis.to_sql(table, dialect='duckdb')}) AS mlspec_file_rows"


def _make(connection: Any, name: str, table: ibis.Table) -> None:
    query = f"SELECT * FROM ({_selected(table)}) AS mlspec_none LIMIT 0"
    _make_empty(connection, name, table.get_backend().con.execute(query).to_arrow_table())


def _make_empty(connection: Any, name: str, nothing: pa.Table) -> None:
    connection.register("mlspec_batch", nothing)
    connection.execute(f"CREATE TABLE {quote(name)} AS SELECT * FROM mlspec_batch")
    connection.unregister("mlspec_batch")


def _copy(connection: Any, name: str, table: ibis.Table) -> None:
    for batch in table.get_backend().con.execute(_selected(table)).to_arrow_reader(BATCH):
        connection.register("mlspec_batch", pa.Table.from_batches([batch]))
        connection.execute(f"INSERT INTO {quote(name)} SELECT * FROM mlspec_batch")
        connection.unregister("mlspec_batch")


def _answer(connection: Any, sql: str, order_by: Sequence[str]) -> tuple[str, ...]:
    """Let the query make its table, with nothing else in reach."""
    connection.execute("SET threads = 1")  # sums of floats depend on who adds what
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_external_access = false")
    try:
        text = selection(sql, "duckdb")
        connection.execute(f"CREATE TABLE {ANSWER} AS SELECT * FROM ({text}) AS mlspec_asked")
    except (duckdb.Error, ValueError) as error:
        raise StepError(
            f"the query cannot be answered: {_first(error)}",
            where="data.source.sql",
            fix=CASTS if "cast" in _first(error).lower() else None,
        ) from error
    names = [row[0] for row in connection.execute(f"DESCRIBE {ANSWER}").fetchall()]
    return check_asked(tuple(names), "the query", order_by)


def _first(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
