"""An Ibis backend whose one table are the rows of a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import ibis
import ibis.expr.operations as ops
import pyarrow as pa
from ibis.backends.sql import SQLBackend

from mlspec.engine.pushdown.compiler import Compiler
from mlspec.engine.pushdown.snapshot import Snapshot
from mlspec.engine.pushdown.typed_rows import ROWS, within
from mlspec.engine.sql import quote


class ServerBackend(SQLBackend):  # type: ignore[misc]
    """Runs expressions over typed rows where they lie; nothing can be written.

    Args:
        snapshot: In which all queries run.
        rows: A SELECT of the rows.
    """

    name: ClassVar[str] = "postgres"
    compiler: ClassVar[Any] = Compiler()

    def __init__(self, snapshot: Snapshot, rows: str) -> None:
        super().__init__()
        self.snapshot, self.rows = snapshot, rows

    def table_of(self, schema: Mapping[str, str]) -> ibis.Table:
        """Return the rows as a table of these columns."""
        return ops.DatabaseTable(ROWS, schema=ibis.schema(schema), source=self).to_expr()

    def to_pyarrow_batches(
        self,
        expr: ibis.Expr,
        /,
        *,
        params: Any = None,
        limit: Any = None,
        chunk_size: int = 0,
        **_: Any,
    ) -> pa.RecordBatchReader:
        """Run an expression and give its rows as Arrow, in the types that Ibis says."""
        schema = expr.as_table().schema().to_pyarrow()
        query = within(self.rows, self.compile(expr.as_table(), limit=limit, params=params))
        return pa.RecordBatchReader.from_batches(
            schema, (_of_types(batch, schema) for batch in self.snapshot.batches(query))
        )

    def ask(self, table: ibis.Table, write: Callable[[str], str]) -> list[tuple[Any, ...]]:
        """Return the rows of a query over a table of this backend; see `engine.ask.ask`."""
        return self.snapshot.rows(self._over(table, write))

    def ask_batches(self, table: ibis.Table, write: Callable[[str], str]) -> Iterator[pa.RecordBatch]:
        """Give the rows of a query over a table of this backend as Arrow, in the server's types."""
        yield from self.snapshot.batches(self._over(table, write))

    def _over(self, table: ibis.Table, write: Callable[[str], str]) -> str:
        return within(self.rows, write(f"({self.compile(table)}) AS mlspec_source"))

    def flat(self, table: ibis.Table) -> tuple[ibis.Table, dict[str, str]]:
        """Return a table whose columns are float64 or text; see `engine.reading.flat.flat`."""
        forms: dict[str, str] = {}
        values = ["mlspec_row"]
        for name, dtype in table.schema().items():
            if name.startswith("mlspec_"):
                continue
            forms[name], value = _flat(quote(name), dtype)
            values.append(f"{value} AS {quote(name)}")
        wide = within(self.rows, self.compile(table))
        rows = f"SELECT {', '.join(values)} FROM ({wide}) AS mlspec_wide"
        schema = {name: "float64" if form == "number" else "string" for name, form in forms.items()}
        return ServerBackend(self.snapshot, rows).table_of({"mlspec_row": "int64"} | schema), forms

    @property
    def con(self) -> Snapshot:
        """Return what runs queries."""
        return self.snapshot

    def disconnect(self) -> None:
        """End the snapshot."""
        self.snapshot.close()

    def do_connect(self, *_: Any, **__: Any) -> None:
        """Do nothing: the snapshot is open."""

    @property
    def version(self) -> str:
        """Return nothing that anybody asks."""
        return ""

    def list_tables(self, **_: Any) -> list[str]:
        """Return the one table."""
        return [ROWS]

    def create_table(self, *_: Any, **__: Any) -> ibis.Table:
        """Refuse to write."""
        raise NotImplementedError("a snapshot is only read")

    def _register_in_memory_table(self, op: Any) -> None:
        raise NotImplementedError("a snapshot is only read")

    def _get_schema_using_query(self, query: str) -> ibis.Schema:
        raise NotImplementedError("a snapshot has one table")


def _flat(column: str, dtype: Any) -> tuple[str, str]:
    if dtype.is_timestamp() or dtype.is_date():
        return "number", f"(extract(epoch FROM {column}) * 1000000)::bigint::float8 / 1000"
    if dtype.is_floating():
        odd = "('NaN', 'Infinity', '-Infinity')"
        return "number", f"CASE WHEN {column} NOT IN {odd} THEN {column}::float8 END"
    if dtype.is_numeric() and not dtype.is_boolean():
        return "number", f"{column}::float8"
    return "category", f'({column}::text) COLLATE "C"'


def _of_types(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return rows in the types that they must have: a server's whole numbers may come as text."""
    columns = [
        column if column.type == field.type else column.cast(field.type)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
