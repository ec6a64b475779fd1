"""Runs a query in DuckDB over rows in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mlspec.engine.querying.write import REFUSED
from mlspec.engine.sql import quote
from mlspec.sdk.contract import Contract

_BATCH = "mlspec rows of one batch"


class Ask:
    """A query, and the database that answers it: closed, in memory, with one thread.

    Args:
        text: The query, in DuckDB's words.
        table: The table that it reads.
        keep: Columns of the table that it names besides the model's.
    """

    def __init__(self, text: str, table: str, keep: Sequence[str] | None) -> None:
        self._text, self._keep = text, tuple(keep or ())
        self._connection = duckdb.connect(":memory:")
        for option in ("threads = 1", "enable_external_access = false", "autoload_known_extensions = false"):
            self._connection.execute(f"SET {option}")
        self._name = ".".join(map(quote, table.split(".")))
        if "." in table:
            self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(table.split('.')[0])}")

    def run(self, rows: pa.RecordBatch) -> pa.Table:
        """Return what the query says to some rows, in their order."""
        missing = [name for name in self._keep if name not in rows.schema.names]
        table = pa.Table.from_batches([rows])
        for name in missing:
            table = table.append_column(name, pa.nulls(rows.num_rows, pa.string()))
        self._connection.register(_BATCH, table)
        try:
            self._connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {quote(_BATCH + ' kept')} AS FROM {quote(_BATCH)}"
            )
        finally:
            self._connection.unregister(_BATCH)
        self._connection.execute(f"CREATE OR REPLACE VIEW {self._name} AS FROM {quote(_BATCH + ' kept')}")
        return self._connection.execute(self._text).to_arrow_table()


def arrays(found: pa.Table, contract: Contract) -> Mapping[str, NDArray[Any]]:
    """Return a query's answers as the outputs of a joined file, where no row was refused."""
    if contract.target.kind == "number":
        return {"value": found.column("value").to_numpy()}
    shares = [found.column(f"probability_{name}").to_numpy() for name in contract.target.classes]
    labels = np.array(found.column("label").to_pylist(), object)
    return {"label": labels, "probabilities": np.stack(shares, axis=1).astype(np.float32)}


def refused(found: pa.Table) -> list[str | None]:
    """Return why each row was refused, None where it was not."""
    reasons: list[str | None] = found.column(REFUSED).to_pylist()
    return reasons
