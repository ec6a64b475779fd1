"""One moment of a server's rows, asked as often as needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

import pyarrow as pa

from mlspec.engine.pushdown.server_column import ServerColumn, server_column
from mlspec.engine.reading.asked import Asked
from mlspec.engine.reading.check_asked import check_asked
from mlspec.engine.reading.postgres import ServerAnswer, begin, connected, refused, stored
from mlspec.engine.reading.server_url import check_computes
from mlspec.engine.sql import quote
from mlspec.errors import StepError

OLDEST = 140_000
"""The first version whose times and numbers are told exactly: PostgreSQL 14."""

KIND = (
    "(WITH RECURSIVE mlspec_type AS (SELECT oid, typtype, typbasetype FROM pg_catalog.pg_type "
    "WHERE oid = pg_typeof({0}) UNION ALL SELECT base.oid, base.typtype, base.typbasetype "
    "FROM pg_catalog.pg_type AS base, mlspec_type WHERE base.oid = mlspec_type.typbasetype) "
    "SELECT typtype::text || oid::regtype FROM mlspec_type WHERE typtype <> 'd')"
)
"""What kind of type a value is of, and its name; a domain is what it is made of, as the driver has it."""


class Snapshot:
    """A read-only transaction in which all queries see the same rows.

    Args:
        asked: A server's table or query.

    Raises:
        MissingError: the driver, the variable or the server is not within reach.
        StepError: the server refuses what is asked, or is one that cannot compute as it is done here.
    """

    def __init__(self, asked: Asked) -> None:
        check_computes(str(asked.url))
        self.asked = asked
        self.query = asked.sql("postgres")
        self._connection, self._url = connected(asked)
        try:
            with refused(self._url), self._connection.cursor() as cursor:
                begin(cursor)
            self._suits()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the transaction."""
        self._connection.close()

    def batches(self, query: str) -> Iterator[pa.RecordBatch]:
        """Give the rows of a query as Arrow."""
        with refused(self._url), self._connection.cursor() as cursor:
            cursor.execute(query)
            for batch in cursor.fetch_record_batch():
                columns = [stored(column) for column in batch.columns]
                yield pa.RecordBatch.from_arrays(columns, names=batch.schema.names)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query that gives few."""
        with refused(self._url), self._connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def fingerprint(self) -> dict[str, Any]:
        """Return columns, number of rows and a hash of their content that does not depend on their order."""
        with refused(self._url), self._connection.cursor() as cursor:
            answer = ServerAnswer(cursor, self.query)
            columns = {field.name: str(field.type) for field in answer.schema}
            return {"columns": columns, **answer.digest()}

    def columns(self) -> tuple[ServerColumn, ...]:
        """Return the columns and what the server calls their types."""
        with refused(self._url), self._connection.cursor() as cursor:
            names = tuple(ServerAnswer(cursor, self.query).schema.names)
        what = f"the table '{self.asked.table}'" if self.asked.table else "the query"
        check_asked(names, what, self.asked.order_by)
        told = ", ".join(KIND.format(f"mlspec_none.{quote(name)}") for name in names)
        # A row of nulls: there are types even where there are no rows.
        (types,) = self.rows(
            f"SELECT {told} FROM (SELECT 1) AS mlspec_one LEFT JOIN (SELECT * FROM ({self.query}) "
            "AS mlspec_asked LIMIT 0) AS mlspec_none ON true"
        )
        return tuple(server_column(name, kind[0], kind[1:]) for name, kind in zip(names, types, strict=True))

    def check(self, fingerprint: Mapping[str, Any], step: str) -> None:
        """Refuse rows that are not those of a fingerprint any more.

        Raises:
            StepError: they changed.
        """
        if self.fingerprint() != fingerprint:
            raise StepError(
                "the rows in the database changed since 'ingest' computed over them",
                where=step,
                fix="run again when nobody writes there, or set compute: here, which keeps the rows",
            )

    def _suits(self) -> None:
        ((version, encoding),) = self.rows(
            "SELECT current_setting('server_version_num')::int, current_setting('server_encoding')"
        )
        # Many queries of many expressions, each asked once: to compile them takes longer than they do.
        with refused(self._url), self._connection.cursor() as cursor:
            cursor.execute("SET LOCAL jit = off")
        if version < OLDEST:
            what = f"PostgreSQL {version // 10_000} does not tell times and numbers exactly enough"
        elif encoding != "UTF8":
            what = f"the database keeps its texts in {encoding}, and is asked in UTF8"
        else:
            return
        raise StepError(what, where="data.source.compute", fix="set compute: here")
