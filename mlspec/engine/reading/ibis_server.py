"""A database server of any kind that Ibis connects to: rows come as Arrow."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from importlib.metadata import entry_points
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ibis
import pyarrow as pa
from ibis.common.exceptions import TableNotFound

from mlspec.engine.reading.asked import Answer, Asked
from mlspec.engine.reading.foreign import as_taken, taken
from mlspec.engine.reading.server_url import masked, scheme_of, server_url, unreachable
from mlspec.errors import MissingError, MlspecError, StepError
from mlspec.sdk.selection import selection

SECONDS = 10
"""How long a server may take to let us in, where its driver has no limit of its own."""
BATCH = 16_384
"""Rows that come at once."""
EXTRAS = frozenset({"bigquery", "mysql", "pyspark", "snowflake", "trino"})
"""Kinds of servers whose packages an extra of mlspec's own brings."""
ELSEWHERE = frozenset({"duckdb", "sqlite", "postgres", "polars", "datafusion", "flink"})
"""What Ibis connects to and is read in another way, or is no server."""
KNOWN = (
    "Access denied", "Unknown database", "Can't connect", "Connection refused", "Unknown server host",
    "Name or service not known", "timed out", "Lost connection", "Unauthorized", "Forbidden", "SSL",
    "Too many connections",
)  # fmt: skip
"""What may be told of a refused connection: a driver's own words can hold parts of a URL."""
BY_ROWS = frozenset({"mysql", "singlestoredb"})
"""Servers whose rows Ibis would carry through pandas, which makes floats of whole numbers beside nulls."""
SESSION: Mapping[str, tuple[str, ...]] = {
    "mysql": ("SET time_zone = '+00:00'", "SET SESSION TRANSACTION READ ONLY"),
}
"""What a session begins with: times in UTC, and nothing written, where Ibis does not see to it."""


@contextmanager
def ibis_server(asked: Asked) -> Iterator[Answer]:
    """Open a connection to a server.

    Raises:
        MissingError: the packages, the variable or the server are not within reach.
        StepError: the server refuses what is asked.
    """
    url = server_url(str(asked.url))
    connection = _connected(asked, url)
    try:
        yield _Answer(connection, asked, url)
    finally:
        # What was wrong with it was told already.
        with suppress(Exception):
            connection.disconnect()


def _connected(asked: Asked, url: str) -> Any:
    scheme = scheme_of(url)
    _load(scheme)
    with warnings.catch_warnings():
        # A server without names of time zones: the session is given an offset below.
        warnings.filterwarnings("ignore", "Unable to set session timezone")
        try:
            connection = ibis.connect(url, **_options(url))
            for line in SESSION.get(scheme, ()):
                connection.raw_sql(line).close()
        except ImportError as missing:
            raise _missing(scheme) from missing
        except Exception as error:  # noqa: BLE001 - each driver has faults of its own, of no common kind
            why = next((known for known in KNOWN if known.lower() in str(error).lower()), None)
            fault = unreachable(str(asked.url), why or type(error).__name__)
        else:
            return connection
    # Without the driver's own words: they may hold a password, and -v shows what stands behind an error.
    raise fault from None


def _load(scheme: str) -> None:
    """Load what connects to a kind of server.

    Raises:
        MissingError: its packages are not installed.
        StepError: there is no such kind.
    """
    kinds = sorted({found.name for found in entry_points(group="ibis.backends")} - ELSEWHERE)
    if scheme not in kinds:
        close = get_close_matches(scheme, ("postgresql", *kinds), 1)
        raise StepError(
            f"no kind of database server is called '{scheme}'",
            where="data.source.url",
            fix=f"{f'did you mean {close[0]!r}? ' if close else ''}there are postgresql, {', '.join(kinds)} "
            "(MariaDB is read as mysql); a SQLite or DuckDB file is named by path:",
        )
    try:
        getattr(ibis, scheme)
    except ImportError as missing:
        raise _missing(scheme) from missing


def _missing(scheme: str) -> MissingError:
    package = "mlspec" if scheme in EXTRAS else "ibis-framework"
    return MissingError(
        f"the source 'sql' needs packages for '{scheme}' that are not installed here",
        where="data.source.url",
        fix=f"pip install '{package}[{scheme}]'",
    )


def _options(url: str) -> dict[str, Any]:
    """Return what a driver must be told so that rows come a few at a time, and a silent server is left."""
    if scheme_of(url) != "mysql":
        return {}
    from MySQLdb.cursors import SSCursor

    # Those of a URL are texts, and this driver takes whole numbers only.
    asked = dict(parse_qsl(urlsplit(url).query)).get("connect_timeout", "")
    return {"cursorclass": SSCursor, "connect_timeout": int(asked) if asked.isdecimal() else SECONDS}


@dataclass
class _Answer:
    connection: Any
    asked: Asked
    url: str

    @cached_property
    def schema(self) -> pa.Schema:
        """Return the columns and their types, in Arrow's words."""
        by_rows = self.connection.name in BY_ROWS
        return pa.schema([(field.name, taken(field.type, by_rows)) for field in self._said])

    @property
    def numbers(self) -> frozenset[str]:
        """Return the columns of decimal numbers that are longer than DuckDB's."""
        return frozenset(field.name for field in self._said if pa.types.is_decimal256(field.type))

    @property
    def _said(self) -> pa.Schema:
        return self._rows.schema().to_pyarrow()

    def batches(self) -> Iterator[pa.RecordBatch]:
        found = self._by_rows() if self.connection.name in BY_ROWS else self._as_arrow()
        while True:
            with _refused(self.url):
                columns = next(found, None)
            if columns is None:
                return
            yield self._batch(columns)

    def digest(self) -> None:
        return None

    @cached_property
    def _rows(self) -> ibis.Table:
        with _refused(self.url):
            table = self._table() if self.asked.table is not None else self._query()
            if self.asked.most is not None:
                table = (table.order_by(self.asked.order_by) if self.asked.order_by else table).limit(
                    self.asked.most
                )
            return table

    def _table(self) -> ibis.Table:
        *place, name = str(self.asked.table).split(".")
        database = tuple(place) if len(place) > 1 else place[0] if place else None
        try:
            return self.connection.table(name, database=database)
        except TableNotFound:
            raise StepError(
                f"the database has no table or view '{self.asked.table}' that may be read",
                where="data.source.table",
                fix="check the name, its schema, and the user's rights",
            ) from None

    def _query(self) -> ibis.Table:
        try:
            query = selection(self.asked.query or "", self.connection.dialect)
        except ValueError as error:
            raise StepError(f"the query cannot be sent: {error}", where="data.source.query") from error
        return self.connection.sql(query)

    def _as_arrow(self) -> Iterator[Sequence[pa.Array]]:
        for batch in self.connection.to_pyarrow_batches(self._rows, chunk_size=BATCH):
            yield batch.columns

    def _by_rows(self) -> Iterator[Sequence[Sequence[Any]]]:
        cursor = self.connection.raw_sql(self.connection.compile(self._rows))
        while rows := cursor.fetchmany(BATCH):
            yield tuple(zip(*rows, strict=True))

    def _batch(self, columns: Sequence[pa.Array | Sequence[Any]]) -> pa.RecordBatch:
        arrays = []
        for column, field in zip(columns, self.schema, strict=True):
            try:
                arrays.append(as_taken(column, field.type))
            except (pa.ArrowException, TypeError, ValueError, OverflowError):
                # Without the driver's words: they hold the value.
                raise StepError(
                    f"column '{field.name}' holds what cannot be taken over as {field.type}",
                    where="data.source",
                    fix="convert it in data.source.query, to text for one, or leave it out there",
                ) from None
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


@contextmanager
def _refused(url: str) -> Iterator[None]:
    """Tell a fault of a driver as one of ours, without what may be a password.

    Raises:
        StepError: the server refuses what is asked.
    """
    try:
        yield
        return
    except (MlspecError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - as above
        words = masked(str(error), url) or type(error).__name__
        fault = StepError(f"the database refuses what is asked: {words}", where="data.source")
        raise fault from None
