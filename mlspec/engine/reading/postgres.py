"""A PostgreSQL server, read over ADBC: rows come as Arrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mlspec.engine.reading.asked import Answer, Asked
from mlspec.engine.reading.server_url import masked, server_url, unreachable
from mlspec.errors import MissingError, StepError

SECONDS = 10
"""How long a server may take to let us in."""
SETTINGS = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL DateStyle = 'ISO, MDY'",
    "SET LOCAL IntervalStyle = 'postgres'",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL extra_float_digits = 1",
    "SET LOCAL standard_conforming_strings = on",
)
"""One snapshot that cannot be written, and texts of values that depend on no server's settings."""
KNOWN = (
    "Connection refused", "password authentication failed", "no password supplied", "does not exist",
    "could not translate host name", "timeout expired", "no pg_hba.conf entry", "SSL", "too many connections",
    "starting up", "shutting down",
)  # fmt: skip
"""What may be told of a refused connection: the driver's own words can hold parts of a URL."""


@contextmanager
def postgres(asked: Asked) -> Iterator[Answer]:
    """Open a read-only snapshot of a PostgreSQL server.

    Raises:
        MissingError: the driver, the variable or the server is not within reach.
        StepError: the server refuses what is asked.
    """
    connection, url = connected(asked)
    try:
        with refused(url), connection.cursor() as cursor:
            begin(cursor)
            yield ServerAnswer(cursor, asked.sql("postgres"))
    finally:
        connection.close()


def connected(asked: Asked) -> tuple[Any, str]:
    """Return a driver's connection to the server, and its URL, which may be a secret.

    Raises:
        MissingError: the driver, the variable or the server is not within reach.
    """
    try:
        from adbc_driver_manager import Error
        from adbc_driver_postgresql import dbapi
    except ModuleNotFoundError as missing:
        raise MissingError(
            "the source 'sql' needs the package 'adbc-driver-postgresql' for a PostgreSQL server",
            where="data.source",
            fix="pip install 'mlspec[sql]'",
        ) from missing
    url = server_url(str(asked.url))
    try:
        return dbapi.connect(_with_timeout(url)), url
    except Error as error:
        fault = _away(asked, str(error))
    # Without the driver's own words: they may hold a password, and -v shows what stands behind an error.
    raise fault from None


def begin(cursor: Any) -> None:
    """Begin the snapshot."""
    for line in SETTINGS:
        cursor.execute(line)


@contextmanager
def refused(url: str) -> Iterator[None]:
    """Tell a fault of the driver as one of ours, without what may be a password.

    Raises:
        StepError: the server refuses what is asked.
    """
    from adbc_driver_manager import Error

    try:
        yield
    except (Error, pa.ArrowException, OSError) as error:
        words = masked(str(error).replace("[libpq]", ""), url)
        fault = StepError(f"the database refuses what is asked: {words}", where="data.source")
        raise fault from None


@dataclass
class ServerAnswer:
    """What a server answers to one query, all in one snapshot."""

    cursor: Any
    query: str

    @cached_property
    def schema(self) -> pa.Schema:
        """Return the columns and their types."""
        return _plain(self._told)

    @property
    def numbers(self) -> frozenset[str]:
        """Return the columns of type `numeric`, which come as text."""
        return frozenset(field.name for field in self._told if _is_numeric(field.type))

    @cached_property
    def _told(self) -> pa.Schema:
        self.cursor.execute(f"SELECT * FROM ({self.query}) AS mlspec_asked LIMIT 0")
        return self.cursor.fetch_record_batch().schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Give the rows, in any order."""
        schema = self.schema
        self.cursor.execute(self.query)
        for batch in self.cursor.fetch_record_batch():
            yield pa.RecordBatch.from_arrays([stored(column) for column in batch.columns], schema=schema)

    def digest(self) -> Mapping[str, Any]:
        """Return the number of rows and sums over halves of each row's MD5: the same in any order."""
        half = "coalesce(sum(('x' || substr(h, {}, 15))::bit(60)::bigint), 0)::text"
        self.cursor.execute(
            f"SELECT count(*)::bigint, {half.format(1)}, {half.format(16)} FROM "
            f"(SELECT md5(mlspec_asked::text) AS h FROM ({self.query}) AS mlspec_asked) AS mlspec_hashed"
        )
        rows, low, high = self.cursor.fetchone()
        return {"rows": rows, "md5": f"{low}-{high}"}


def stored(column: pa.Array) -> pa.Array:
    """Return a column without the driver's note on a type that Arrow does not have; infinite times as DuckDB
    has them.
    """
    if column.type != _sent(column.type):
        return column.storage
    if pa.types.is_timestamp(column.type) or pa.types.is_date32(column.type):
        return _infinite(column)
    return column


def _infinite(column: pa.Array) -> pa.Array:
    """Return times in which the largest and the smallest are infinite again.

    The driver counts them from 1970 and not from 2000, which carries the server's infinite ones past the end
    of the numbers to times that seem to be ordinary ones.
    """
    days = pa.types.is_date32(column.type)
    whole = pa.int32() if days else pa.int64()
    top, shift = (2**31 - 1, 10_957) if days else (2**63 - 1, 10_957 * 86_400_000_000)
    values = column.view(whole)
    for server, here in ((top, top), (-top - 1, -top)):
        wrapped = (server + shift + top + 1) % (2 * top + 2) - top - 1
        values = pc.if_else(pc.equal(values, pa.scalar(wrapped, whole)), pa.scalar(here, whole), values)
    return values.view(column.type)


def _plain(schema: pa.Schema) -> pa.Schema:
    """Return a schema without the driver's notes; a type that Arrow does not have is as it is sent."""
    return pa.schema([(field.name, _sent(field.type)) for field in schema])


def _is_numeric(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.OpaqueType) and kind.type_name == "numeric"


def _sent(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.BaseExtensionType) and not isinstance(kind, pa.UuidType):
        return kind.storage_type
    return kind


def _with_timeout(url: str) -> str:
    if "connect_timeout=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}connect_timeout={SECONDS}"


def _away(asked: Asked, words: str) -> MissingError:
    why = next((known for known in KNOWN if known.lower() in words.lower()), "no connection")
    return unreachable(str(asked.url), why)
