"""Tables of a database of their own."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from mlspec.sdk.split import Split, SplitColumns

COLUMNS = SplitColumns(target="target", stratify=True, event_time="time", key=("group",))


def table(rows: pd.DataFrame | pa.Table) -> ibis.Table:
    """Return rows as a table of a fresh DuckDB with one thread."""
    connection = ibis.duckdb.connect(threads=1)
    arrow = rows if isinstance(rows, pa.Table) else pa.Table.from_pandas(rows, preserve_index=False)
    connection.con.register("given", arrow)
    connection.con.execute("CREATE TABLE rows_here AS SELECT * FROM given")
    return connection.table("rows_here")


def frame(rows: int = 400) -> pd.DataFrame:
    """Return rows that every split can be tried on."""
    random = np.random.default_rng(0)
    days = random.integers(0, 8, rows)
    return pd.DataFrame(
        {
            "mlspec_row": np.arange(rows),
            "group": pd.Series([f"g{number}" for number in random.integers(0, 60, rows)], dtype=object),
            "target": pd.Series(random.choice(["a", "b", "c"], rows, p=[0.7, 0.2, 0.1]), dtype=object),
            "part": pd.Series(random.choice(["train", "val", "test"], rows, p=[0.6, 0.2, 0.2]), dtype=object),
            "time": pd.to_datetime([dt.datetime(2024, 1, 1 + int(day)) for day in days], utc=True),
        }
    )


def assigned(split: Split, data: pd.DataFrame, seed: int = 7, columns: SplitColumns = COLUMNS) -> pd.Series:
    """Return each row's split, by `mlspec_row`."""
    found = split.assign(table(data), seed, columns).to_pyarrow()
    assert sorted(found.column_names) == sorted([*data.columns, "mlspec_split"])
    series = pd.Series(found["mlspec_split"].to_pylist(), index=found["mlspec_row"].to_pylist(), dtype=object)
    return series.sort_index()
