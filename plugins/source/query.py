"""`source: {kind: query}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from mlspec.sdk.context import Context
from mlspec.sdk.fields import Column, Path, check_no_credentials
from mlspec.sdk.selection import Selection, check_closed
from mlspec.sdk.source import Source, Unreadable

if TYPE_CHECKING:
    import ibis

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)]


class Query(Source):
    """Read what an SQL query makes of some files: joins, filters, groups.

    DuckDB answers it. The files are read first, each by the source of its kind; while the query runs,
    no file and no network can be reached. Columns of CSV and JSON files are text. Of files behind a URL
    `ingest` keeps copies, and the steps behind it read these.
    """

    files: Annotated[Mapping[Word, Path], Field(min_length=1, max_length=100)]
    """The tables of the query, by their names: files or globs, here or behind a URL
    (`s3://bucket/rows.parquet`), whose ends say their kind. Relative paths start at the spec's folder."""
    sql: Selection
    """One SELECT over these tables, in DuckDB's SQL."""
    order_by: Annotated[tuple[Column, ...], Field(max_length=100)] = ()
    """Columns that order the rows; equal ones, and all rows where nothing is said, are ordered by all their
    columns. Name what grows with time, so that new rows come last."""

    @field_validator("files")
    @classmethod
    def _without_credentials(cls, files: Mapping[str, str]) -> Mapping[str, str]:
        for path in files.values():
            check_no_credentials(path)
        return files

    @field_validator("sql")
    @classmethod
    def _closed(cls, sql: str, info: ValidationInfo) -> str:
        if "files" in info.data:
            check_closed(sql, tuple(info.data["files"]))
        return sql

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use."""
        sql = "SELECT word, number, flag FROM a JOIN b USING (word)"
        one = {"a": "table.parquet", "b": "table.csv"}
        return (
            cls.revive({"files": one, "sql": sql.replace("flag", "b.flag").replace("number", "a.number")}),
            cls.revive({"files": {"t": "*.jsonl"}, "sql": "SELECT * FROM t", "order_by": ["number"]}),
        )

    @property
    def keeps(self) -> str | None:
        """Return the folder of copies that `ingest` keeps of the files behind URLs."""
        return "source" if any("://" in path for path in self.files.values()) else None

    def dependencies(self) -> tuple[str, ...] | None:
        """Return the files, or None where one is a glob or a URL."""
        paths = sorted(set(self.files.values()))
        glob = any("://" in path or any(sign in path for sign in "*?[") for path in paths)
        return None if glob else tuple(paths)

    def columns(self, context: Context) -> tuple[str, ...]:
        """Return the names of the answer's columns; no row is read."""
        from mlspec.engine.reading.query_rows import query_columns

        return query_columns(self.files, self.sql, self.order_by, context)

    def read(self, context: Context) -> ibis.Table:
        """Return the answer, in its order."""
        from mlspec.engine.reading.query_rows import query_rows

        return query_rows(self.files, self.sql, self.order_by, context)

    def unreadable(self, table: ibis.Table) -> tuple[Unreadable, ...]:
        """Return the rows of the files that could not be taken apart."""
        from mlspec.engine.reading.query_rows import lost_rows

        return lost_rows(table)

    def fingerprint(self, context: Context) -> dict[str, Any]:
        """Return names, sizes and SHA-256 of the files of each table."""
        from mlspec.engine.reading.query_rows import source_of

        tables = {name: source_of(name, path, context) for name, path in sorted(self.files.items())}
        return {"tables": {name: source.fingerprint(context) for name, source in tables.items()}}

    def moved(self, then: Mapping[str, Any], context: Context) -> bool:
        """Return whether a file of this machine is another than it was: no copy of it is kept."""
        from mlspec.engine.reading.query_rows import source_of

        local = {name: path for name, path in self.files.items() if "://" not in path}
        return any(
            source_of(name, path, context).fingerprint(context) != then["tables"][name]
            for name, path in local.items()
        )
