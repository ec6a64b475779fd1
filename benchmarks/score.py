"""`mlspec score` over Parquet against plain ONNX Runtime over the same file and rows.

    python benchmarks/score.py [--rows 1000000] [--rounds 5] [--floor ../shared/floors/score_bare.py]

One joined file (20 numbers, 10 categories, MLP 128-128), one Parquet file, each round in a fresh
process, floor and mlspec in turn. Timed in the floor: reading and answering; nothing is written. Timed
here: the whole work of `mlspec score x.parquet -o y.parquet` after imports and opening the model: typed
reading with every check of the door, answering, writing the answers as Parquet and flushing them to
disk. `command_seconds` is that command from start to end, imports and all. Results go to
benchmarks/results/score.json.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
NUMBERS, CATEGORIES, VALUES = 20, 10, 50


def table(rows: int, seed: int = 0) -> pa.Table:
    generator = np.random.default_rng(seed)
    columns = {}
    for place in range(NUMBERS):
        values = generator.normal(100, 20, rows)
        columns[f"number_{place}"] = pa.array(values, mask=generator.random(rows) < 0.05)
    words = np.array([f"value {place}" for place in range(VALUES)], dtype=object)
    for place in range(CATEGORIES):
        values = words[generator.integers(0, VALUES, rows)]
        columns[f"category_{place}"] = pa.array(values, pa.string(), mask=generator.random(rows) < 0.02)
    return pa.table(columns)


def model(rows: pa.Table) -> bytes:
    """Return a joined file: features fitted on some rows, an untrained network."""
    import ibis
    from safetensors.torch import save_file

    from mlspec.engine.exporting.join import Parts, join
    from mlspec.engine.graph.features import build_features, fit_features, input_columns, shape
    from mlspec.sdk.contract import FittedTarget
    from mlspec.sdk.slot import Slot

    kinds = {name: "number" if name.startswith("number") else "category" for name in rows.column_names}
    columns = fit_features(
        ibis.memtable(rows), {name: Slot("feature").choose(kind) for name, kind in kinds.items()}
    )
    types = {name: "number" if kind == "number" else "string" for name, kind in kinds.items()}
    target = FittedTarget(column="y", kind="binary", classes=("no", "yes"), counts=(1, 1))
    inputs, network = shape(columns), Slot("model").choose({"kind": "mlp", "hidden": (128, 128)})
    parts = Parts("benchmark", build_features(columns), input_columns(columns, types), target, 0.5)
    with tempfile.TemporaryDirectory() as folder:
        save_file(network.module(inputs, target).state_dict(), Path(folder) / "weights.safetensors")
        whole = join(parts, lambda builder: network.append(builder, Path(folder), inputs, target))
    return whole.model.SerializeToString()


def work(file: str, source: str, output: str) -> None:
    """Score once in this process and print the rate."""
    from mlspec.engine.scoring.score_file import Wanted, score_file
    from mlspec.engine.scoring.scorer import Scorer
    from mlspec.sdk.context import Context
    from mlspec.sdk.slot import Slot

    scorer = Scorer(Path(file))
    chosen = Slot("source").choose({"kind": "parquet", "path": source})
    with tempfile.TemporaryDirectory() as scratch:
        context = Context(workspace=Path.cwd(), scratch=Path(scratch))
        start = time.perf_counter()
        done = score_file(scorer, Wanted(chosen, Path(output), "parquet"), context)
        seconds = time.perf_counter() - start
    print(json.dumps({"rows_per_second": round(done.rows / seconds), "rows": done.rows}))


def run(*command: str) -> tuple[dict, float]:
    start = time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=True, env=environment
    )
    return json.loads(done.stdout or "{}"), time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--floor", type=Path, default=ROOT.parent / "shared" / "floors" / "score_bare.py")
    parser.add_argument("--once", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.once:
        work(*arguments.once)
        return
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        file, source, output = (
            str(Path(folder) / name) for name in ("model.onnx", "rows.parquet", "out.parquet")
        )
        rows = table(arguments.rows)
        pq.write_table(rows, source, row_group_size=131_072)
        Path(file).write_bytes(model(rows.slice(0, 20_000)))
        floor, ours, whole = [], [], []
        for _ in range(arguments.rounds):
            floor.append(run(str(arguments.floor), file, source)[0]["rows_per_second"])
            ours.append(run(__file__, "--once", file, source, output)[0]["rows_per_second"])
            command = ("-m", "mlspec", "score", source, file, "-o", output, "--json")
            whole.append(run(*command)[1])
        medians = statistics.median(floor), statistics.median(ours)
        result = {
            "rows": arguments.rows,
            "floor_rows_per_second": medians[0],
            "mlspec_rows_per_second": medians[1],
            "ratio": round(medians[1] / medians[0], 2),
            "must_be_at_least": 0.7,
            "command_seconds": round(statistics.median(whole), 2),
            "floor_rounds": floor,
            "mlspec_rounds": ours,
        }
        text = json.dumps(result, indent=2)
        (ROOT / "benchmarks" / "results").mkdir(exist_ok=True)
        (ROOT / "benchmarks" / "results" / "score.json").write_text(text + "\n")
        print(text)


if __name__ == "__main__":
    main()
