"""What of the split data is seldom meant: copies across splits, features that give the target away, ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis
import pyarrow as pa

from mlspec.engine.ask import here
from mlspec.engine.preparing.repeated_rows import repeated_rows
from mlspec.engine.preparing.suspicion import Suspicion
from mlspec.engine.preparing.suspicious_columns import suspicious_columns
from mlspec.engine.sql import quote
from mlspec.sdk.contract import FittedTarget

ROWS = 50_000
"""Training rows that columns are judged by, at most."""
CELLS = 5_000_000
"""Values that are looked at, at most: of wide data, fewer rows."""


def suspicions(
    rows: ibis.Table,
    kinds: Mapping[str, str],
    target: FittedTarget,
    keys: Sequence[str],
    counts: Mapping[str, int],
) -> tuple[Suspicion, ...]:
    """Return all that is suspicious; the work is bounded.

    Columns are judged by rows side by side: of rows in a server, copies alone are looked for.

    Args:
        rows: All rows with `mlspec_row` and `mlspec_split`, here as `mlspec_assigned`.
        kinds: The kind of each feature.
        target: What is predicted.
        keys: Columns that name a row.
        counts: Rows of each split.
    """
    columns = [*kinds, target.column]
    copies = repeated_rows(rows, columns, keys, sum(counts.values()))
    if not here(rows):
        return tuple(copies)
    every = max(1, -(-counts["train"] // min(ROWS, max(CELLS // len(columns), 1_000))))
    chosen = ", ".join(quote(name) for name in columns)
    query = f"""
        SELECT {chosen} FROM mlspec_assigned
        WHERE mlspec_split = 'train' AND hash(mlspec_row) % {every} = 0 ORDER BY mlspec_row
    """
    table: pa.Table = rows.get_backend().con.execute(query).to_arrow_table()
    return (*copies, *suspicious_columns(table, kinds, target, every))
