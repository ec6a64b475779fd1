"""Raw rows on disk come back as they were, and reading many takes no more than reading few."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from mlspec.engine.reading.row_file import GROUP, RowFile, stored_rows


def written(file: Path, groups: int) -> pa.Table:
    rows = groups * GROUP + 5
    random = np.random.default_rng(1)
    table = pa.table(
        {f"n{at}": random.random(rows) for at in range(4)}
        | {"text": [f"t{row % 999}" for row in range(rows)]}
    )
    with RowFile(file) as out:
        for batch in table.to_batches(50_000):
            out.write(batch)
    return table


def test_rows_come_back_in_order(tmp_path: Path) -> None:
    table = written(tmp_path / "rows.parquet", 2)
    stored = parquet.ParquetFile(tmp_path / "rows.parquet")
    batches = list(stored_rows(stored, 10_000))
    assert pa.Table.from_batches(batches).equals(table)
    assert max(batch.num_rows for batch in batches) == 10_000
    some = pa.Table.from_batches(list(stored_rows(stored, 10_000, ["text", "n2"])))
    assert set(some.column_names) == {"text", "n2"}


def test_many_rows_take_no_more_memory_than_few(tmp_path: Path) -> None:
    most = []
    for groups in (2, 12):
        written(tmp_path / f"{groups}.parquet", groups)
        stored = parquet.ParquetFile(tmp_path / f"{groups}.parquet")
        before = pa.total_allocated_bytes()
        most.append(max(pa.total_allocated_bytes() - before for _ in stored_rows(stored, 16_384)))
    assert most[1] < 1.2 * most[0]
