"""A DuckDB file, opened to be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from mlspec.engine.reading.asked import Answer, Asked
from mlspec.errors import StepError

BATCH = 65_536
"""Rows that come at once."""


@contextmanager
def duckdb_file(asked: Asked) -> Iterator[Answer]:
    """Open a DuckDB file: nothing can be written, and no other file and no server reached.

    Raises:
        StepError: it cannot be opened, or refuses what is asked.
    """
    try:
        connection = duckdb.connect(str(asked.file), read_only=True)
    except duckdb.Error as error:
        raise _told(asked, error) from error
    try:
        for name in ("autoinstall_known_extensions", "autoload_known_extensions", "enable_external_access"):
            connection.execute(f"SET {name} = false")
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET lock_configuration = true")
        connection.execute("BEGIN TRANSACTION")
        yield _Answer(connection, asked.sql("duckdb"))
    except duckdb.Error as error:
        raise _told(asked, error) from error
    finally:
        connection.close()


@dataclass
class _Answer:
    connection: Any
    query: str
    numbers: tuple[str, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        query = f"SELECT * FROM ({self.query}) AS mlspec_asked LIMIT 0"
        found: pa.Schema = self.connection.execute(query).to_arrow_reader(BATCH).schema
        return found

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self.connection.execute(self.query).to_arrow_reader(BATCH)

    def digest(self) -> None:
        return None


def _told(asked: Asked, error: Exception) -> StepError:
    first = str(error).strip().splitlines()[0]
    return StepError(f"'{asked.path}' does not answer: {first}", where="data.source")
