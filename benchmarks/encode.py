"""Encoding against the same by hand, in turn: rows a second and core of 20 numbers and 10 categories.

    python benchmarks/encode.py [--rows 1000000] [--runs 5] [--floor PATH/encode_numpy.py]

The floor is a script that takes a Parquet file and prints `{"rows_per_second": ...}`. Both read
the file, fit nothing while the clock runs, and use one core. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NUMBERS, CATEGORIES = 20, 10
BATCH = 16_384
"""Rows of a call, as the step `prepare` encodes them."""


def rows_of(path: Path, rows: int) -> None:
    """Write a table of which every tenth number is null, and of categories of 4 to 1,000 values."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    rng = np.random.default_rng(0)
    columns = {
        f"n{place}": pa.array(rng.normal(place, 3, rows), mask=rng.random(rows) < 0.1)
        for place in range(NUMBERS)
    }
    for place in range(CATEGORIES):
        values = np.array([f"value {place} {value}" for value in range(4 + 110 * place)], object)
        columns[f"c{place}"] = pa.array(
            values[rng.integers(0, len(values), rows)], mask=rng.random(rows) < 0.02
        )
    parquet.write_table(pa.table(columns), path)


def encode(path: Path, shape: str) -> float:
    """Return the rows a second of the feature graph on one core; `shape`: plain, or dictionary (coded)."""
    import ibis
    import pyarrow as pa
    import pyarrow.dataset as ds

    from mlspec.engine.graph.features import build_features, fit_features, input_columns
    from mlspec.engine.graph.session import Session
    from mlspec.sdk.slot import Slot

    pa.set_cpu_count(1)
    data = ds.dataset(path)
    kinds = {name: "number" if name.startswith("n") else "category" for name in data.schema.names}
    columns = fit_features(
        ibis.memtable(data.head(100_000)),
        {name: Slot("feature").choose(kind) for name, kind in kinds.items()},
    )
    held = {name: "number" if kind == "number" else "string" for name, kind in kinds.items()}
    session = Session(build_features(columns).SerializeToString(), input_columns(columns, held))
    options = ds.ParquetFragmentScanOptions()
    read = ds.ParquetReadOptions(dictionary_columns={name for name in kinds if kinds[name] == "category"})
    layout = ds.ParquetFileFormat(
        read_options=read if shape == "dictionary" else None, default_fragment_scan_options=options
    )
    batches = list(ds.dataset(path, format=layout).to_batches(batch_size=BATCH))
    start, rows = time.perf_counter(), 0
    for batch in batches:
        session.run(batch)
        rows += batch.num_rows
    return rows / (time.perf_counter() - start)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--floor", type=Path, help="the script to hold against")
    parser.add_argument("--one", nargs=2, metavar=("PARQUET", "SHAPE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps({"rows_per_second": round(encode(Path(arguments.one[0]), arguments.one[1]))}))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        rows_of(path, arguments.rows)
        commands = {
            shape: [sys.executable, __file__, "--one", str(path), shape] for shape in ("plain", "dictionary")
        }
        if arguments.floor:
            commands["floor"] = [sys.executable, str(arguments.floor), str(path)]
        told: dict[str, list[float]] = {name: [] for name in commands}
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
        }
        for _ in range(arguments.runs):
            for name, command in commands.items():
                done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
                told[name].append(json.loads(done.stdout)["rows_per_second"])
    medians = {name: statistics.median(values) for name, values in told.items()}
    report = {"rows_per_second": medians, "runs": arguments.runs, "rows": arguments.rows}
    if arguments.floor:
        report["ratio"] = {
            name: round(value / medians["floor"], 2) for name, value in medians.items() if name != "floor"
        }
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
