"""`source: {kind: sql}`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from mlspec.sdk.context import Context
from mlspec.sdk.fields import Column, Path, ServerUrl
from mlspec.sdk.selection import Selection, TablePlace, check_query
from mlspec.sdk.source import Source

if TYPE_CHECKING:
    import ibis

    from mlspec.engine.pushdown.snapshot import Snapshot
    from mlspec.engine.reading.asked import Asked


class Sql(Source):
    """Read a table or a query of a database: a PostgreSQL server, another server that Ibis connects to (MySQL
    and MariaDB, Trino, BigQuery, Snowflake, Spark ...), a SQLite file or a DuckDB file.

    Nothing is written there. `ingest` reads the rows once, in one snapshot of the database, and keeps them;
    the steps behind it read what was kept. Each run asks the database whether the rows are still the same;
    PostgreSQL reckons that itself, and of others all rows are read for it. With `compute: database` a
    PostgreSQL server computes what is told and learned of the rows, and none are kept.
    """

    revision: ClassVar[int] = 2

    url: ServerUrl | None = None
    """A server: `${oc.env:DATABASE_URL}`, or `postgresql://user@host:5432/database` without a password, which
    then comes from libpq's own places (PGPASSWORD, ~/.pgpass). Another word before `://` is another server:
    `mysql://`, `trino://user@host:8080/catalog/schema`, `bigquery://project/dataset`,
    `snowflake://user@account/database/schema`, `pyspark://`; `pip install 'mlspec[trino]'` and its like bring
    what they need."""
    path: Path | None = None
    """A SQLite or DuckDB file in the place of a server; relative paths start at the spec's folder."""
    table: TablePlace | None = None
    """A table or view, `trips`, `sales.trips` or `lake.sales.trips`, of which all rows are read."""
    query: Selection | None = None
    """One SELECT in the place of a table, in the database's own SQL."""
    order_by: Annotated[tuple[Column, ...], Field(max_length=100)] = ()
    """Columns that order the rows; equal ones, and all rows where nothing is said, are ordered by all their
    columns. Name what grows with time, so that new rows come last."""
    compute: Literal["here", "database"] = "here"
    """Where rows are worked on. `here`: all of them are read once and kept; no step asks the server again.
    `database`, for PostgreSQL: statistics, rules, splits and the fitting of features are queries there, with
    the same results, and only columns that the model and its measures need are moved, once, by `prepare`.
    Of `model: {kind: linear, solver: normal_equations}` the server makes the sums, and no training row leaves
    it. Each step costs the server some passes over the table, and ends with an error when rows changed since
    `ingest`."""

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.url is None) == (self.path is None):
            raise ValueError("expected one of 'url' (a server) and 'path' (a SQLite or DuckDB file)")
        if (self.table is None) == (self.query is None):
            raise ValueError("expected one of 'table' and 'query'")
        if self.compute == "database" and self.url is None:
            raise ValueError("compute: database is for a server (url); a file is computed over here")
        if self.path and self.table and self.table.count(".") > 1:
            raise ValueError("expected a table's name with its schema's at most: a file has no catalogs")
        if self.query and self.url:
            check_query(self.query, self.url)
        return self

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use."""
        return (
            cls(kind="sql", path="table.sqlite", table="rows"),
            cls(kind="sql", path="table.duckdb", query="SELECT * FROM rows", order_by=("number",)),
        )

    @property
    def keeps(self) -> str | None:
        """Return the file of rows that `ingest` keeps; None where the server computes."""
        return None if self.computes else "rows.parquet"

    @property
    def computes(self) -> bool:
        """Return whether the server computes."""
        return self.compute == "database"

    def dependencies(self) -> tuple[str, ...] | None:
        """Return None: what a database holds is known by asking it."""
        return None

    def columns(self, context: Context) -> tuple[str, ...]:
        """Return the names of the columns; no row is read."""
        from mlspec.engine.reading.server_url import check_computes
        from mlspec.engine.reading.sql_rows import sql_columns

        if self.computes:
            check_computes(str(self.url))
        return sql_columns(self._asked(context))

    def read(self, context: Context) -> ibis.Table:
        """Return the rows, read into a database of this step's own, in their order."""
        from mlspec.engine.reading.sql_rows import sql_rows

        return sql_rows(self._asked(context), context)

    def head(self, context: Context, rows: int) -> ibis.Table:
        """Return rows of the beginning, at most so many; where the server computes, no others are moved."""
        return self.some(context, rows) if self.computes else super().head(context, rows)

    def some(self, context: Context, rows: int) -> ibis.Table:
        """Return the rows that the database gives first; no others are moved."""
        from mlspec.engine.reading.sql_rows import sql_rows

        return sql_rows(dataclasses.replace(self._asked(context), most=rows), context)

    def snapshot(self) -> Snapshot:
        """Open one moment of the server's rows."""
        from mlspec.engine.pushdown.snapshot import Snapshot

        return Snapshot(self._asked(None))

    def taken(self, table: ibis.Table) -> dict[str, Any]:
        """Return the fingerprint of the rows as they were when they were read."""
        from mlspec.engine.reading.sql_rows import fingerprint_taken

        return fingerprint_taken(table)

    def fingerprint(self, context: Context) -> dict[str, Any]:
        """Return columns, number of rows and a hash of their content that does not depend on their order; a
        server reckons them itself.
        """
        from mlspec.engine.reading.sql_rows import sql_fingerprint

        return sql_fingerprint(self._asked(context), context)

    def _asked(self, context: Context | None) -> Asked:
        from mlspec.engine.reading.asked import Asked

        return Asked(
            self.url,
            context.resolve(self.path) if context and self.path else None,
            self.path,
            self.table,
            self.query,
            self.order_by,
        )
