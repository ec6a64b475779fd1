"""How long the reference profile takes, held against the query for the statistics of the same rows alone.

    python benchmarks/reference.py [--rows 1000000] [--columns 20] [--rounds 3] [--json]

A Parquet file is written with three columns of numbers for each one of text, and both ask DuckDB over
it, by turns; medians are told. Limit: 2 x the statistics query. Exit code 1 where it is broken.
"""

from __future__ import annotations

import argparse
import json
import statistics as middle
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mlspec.engine.checking.statistics import statistics
from mlspec.engine.preparing.reference import reference

LIMIT = 2.0
PART = 500_000
"""Rows that are made and written at once."""


def write(path: Path, rows: int, columns: int) -> None:
    """Write skewed, tied and whole numbers, with nulls, and texts of few and of many values."""
    rng = np.random.default_rng(5)
    writer = None
    for start in range(0, rows, PART):
        size = min(PART, rows - start)
        values: dict[str, Any] = {"mlspec_row": np.arange(start, start + size)}
        for place in range(columns):
            kind = place % 4
            if kind == 0:
                numbers = rng.lognormal(2.5, 0.6, size)
                values[f"x{place}"] = pa.array(numbers, mask=rng.random(size) < 0.05)
            elif kind == 1:
                values[f"x{place}"] = rng.normal(size=size)
            elif kind == 2:
                values[f"x{place}"] = rng.poisson(30, size).astype(np.float64)
            else:
                most = 20 if place % 8 == 3 else 5000
                words = pa.array([f"word {number}" for number in range(most)])
                values[f"x{place}"] = words.take(pa.array(rng.integers(0, most, size)))
        table = pa.table(values)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def main() -> int:
    """Measure, print, and say by the exit code whether the limit holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    seconds: dict[str, list[float]] = {"statistics": [], "reference": []}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        write(file, given.rows, given.columns)
        table = ibis.duckdb.connect().read_parquet(str(file))
        for _ in range(given.rounds):
            for name, ask in (("statistics", statistics), ("reference", reference)):
                start = time.perf_counter()
                ask(table)
                seconds[name].append(time.perf_counter() - start)
    medians = {name: middle.median(taken) for name, taken in seconds.items()}
    ratio = medians["reference"] / medians["statistics"]
    result = {
        "rows": given.rows,
        "columns": given.columns,
        "seconds": medians,
        "ratio": ratio,
        "limit": LIMIT,
    }
    if given.json:
        print(json.dumps(result, indent=1))
    else:
        print(
            f"{given.rows} rows x {given.columns} columns: statistics {medians['statistics']:.2f} s, "
            f"reference {medians['reference']:.2f} s, {ratio:.2f} x (limit {LIMIT:g} x)"
        )
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
