"""What is asked of a database, and how one answers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import pyarrow as pa

from mlspec.engine.sql import quote
from mlspec.errors import StepError
from mlspec.sdk.selection import selection


@dataclass(frozen=True)
class Asked:
    """A table or a query of some database."""

    url: str | None
    """A server's, or the variable that holds it."""
    file: str | None
    """Where a database file lies on this machine."""
    path: str | None
    """The same as the user wrote it, for messages."""
    table: str | None
    query: str | None
    order_by: tuple[str, ...] = ()
    most: int | None = None
    """Rows at most: the first ones in the database's own order of `order_by`."""

    def sql(self, dialect: str) -> str:
        """Return one SELECT: names are quoted, and a query is sent as it was understood.

        Raises:
            StepError: the query is none in this database's SQL.
        """
        if self.most is not None:
            order = f" ORDER BY {', '.join(map(quote, self.order_by))}" if self.order_by else ""
            whole = replace(self, most=None).sql(dialect)
            return f"SELECT * FROM ({whole}) AS mlspec_whole{order} LIMIT {self.most}"
        if self.table is not None:
            return f"SELECT * FROM {'.'.join(map(quote, self.table.split('.')))}"
        try:
            return selection(self.query or "", dialect)
        except ValueError as error:
            raise StepError(f"the query cannot be sent: {error}", where="data.source.query") from error


class Answer(Protocol):
    """An open snapshot of a database that can only be read."""

    @property
    def schema(self) -> pa.Schema:
        """Return the columns and their types."""

    @property
    def numbers(self) -> Collection[str]:
        """Return the columns of text whose values are decimal numbers, longer than Arrow's."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Give the rows, in any order."""

    def digest(self) -> Mapping[str, Any] | None:
        """Return the number of rows and a hash of them that does not depend on their order, if the database
        can reckon it.
        """


class Database(Protocol):
    """One kind of database."""

    def __call__(self, asked: Asked) -> AbstractContextManager[Answer]:
        """Open it; every fault of the driver is told as one of ours, without what may be a secret.

        Raises:
            MissingError: it is not within reach.
            StepError: it refuses what is asked.
        """
