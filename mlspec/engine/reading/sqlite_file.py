"""A SQLite file, opened to be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from mlspec.engine.reading.asked import Answer, Asked
from mlspec.engine.sql import quote
from mlspec.errors import StepError

BATCH = 16_384
"""Rows that come at once."""
ALLOWED = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)
"""What a query may do."""
REFUSED = frozenset({"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"})
"""Functions that reach out of the database."""


@contextmanager
def sqlite_file(asked: Asked) -> Iterator[Answer]:
    """Open a SQLite file: nothing can be written or attached.

    Raises:
        StepError: it cannot be opened, or refuses what is asked.
    """
    try:
        connection = sqlite3.connect(f"{Path(str(asked.file)).absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise _told(asked, error) from error
    try:
        connection.execute("BEGIN")
        connection.set_authorizer(_may)
        yield _Answer(connection, asked.sql("sqlite"))
    except (sqlite3.Error, OverflowError) as error:
        raise _told(asked, error) from error
    finally:
        connection.close()


def _may(action: int, first: str | None, second: str | None, *_: Any) -> int:
    fine = action in ALLOWED and (action != sqlite3.SQLITE_FUNCTION or str(second).lower() not in REFUSED)
    return sqlite3.SQLITE_OK if fine else sqlite3.SQLITE_DENY


@dataclass
class _Answer:
    connection: sqlite3.Connection
    query: str
    numbers: tuple[str, ...] = ()

    @cached_property
    def schema(self) -> pa.Schema:
        """Return a type for each column that holds all its values: SQLite has types for values only."""
        names = [
            item[0] for item in self.connection.execute(f"SELECT * FROM ({self.query}) LIMIT 0").description
        ]
        kinds = ("integer", "real", "text", "blob")
        tests = ", ".join(f"max(typeof({quote(name)}) = '{kind}')" for name in names for kind in kinds)
        found = self.connection.execute(f"SELECT {tests} FROM ({self.query})").fetchone() if names else ()
        types = []
        for place in range(len(names)):
            whole, real, text, blob = map(bool, found[4 * place : 4 * place + 4])
            mixed = text or blob
            kind = pa.float64() if real else pa.int64() if whole else pa.string()
            types.append(
                (pa.binary() if blob and not (whole or real or text) else pa.string()) if mixed else kind
            )
        return pa.schema(list(zip(names, types, strict=True)))

    def batches(self) -> Iterator[pa.RecordBatch]:
        rows = self.connection.execute(self.query)
        while found := rows.fetchmany(BATCH):
            columns = [
                pa.array([_value(value, field.type) for value in column], field.type)
                for column, field in zip(zip(*found, strict=True), self.schema, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def digest(self) -> None:
        return None


def _value(value: Any, kind: pa.DataType) -> Any:
    if value is None or not pa.types.is_string(kind):
        return float(value) if value is not None and pa.types.is_floating(kind) else value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _told(asked: Asked, error: Exception) -> StepError:
    return StepError(f"'{asked.path}' does not answer: {error}", where="data.source")
