"""A whole `mlspec run` from an empty workspace, against one hand-written script: Adult census, 5 epochs.

    python benchmarks/adult.py [--data PATH/adult.csv] [--seeds 1 2 3] [--runs 2]

Both train an MLP 128-128 on the same rows in the same splits: each seed's split is drawn once, given to
the script as a file and to mlspec as a column of a copy of the table. `mlspec run` also checks the
data, writes a ledger, exports, holds the exported file against training on hostile rows, and scores the
test split through that file. Seconds and peak resident memory are those of the whole process with its
children.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
NUMBERS = {"age", "education_num", "capital_gain", "capital_loss", "hours_per_week"}
SPEC = """\
apiVersion: mlspec/v1
name: adult
seed: {seed}
data:
  source: {{kind: csv, path: adult.csv}}
  ignore: [fnlwgt]
  target: {{column: income, kind: binary, positive: ">50K"}}
  features:
{features}
  split: {{kind: column, column: part}}
model: {{kind: mlp, hidden: [128, 128]}}
training:
  epochs: 5
  batch_size: 256
  optimizer: {{kind: adamw, lr: 1e-3, weight_decay: 0.01}}
evaluation: {{metrics: [auroc, accuracy]}}
"""


def workspace(folder: Path, data: Path, seed: int) -> Path:
    """Write a workspace with one seed's split, and the same split as a file of its own; return that file."""
    with open(data, newline="") as file:
        names, *rows = csv.reader(file)
    parts = np.random.default_rng(seed).choice(["train", "val", "test"], len(rows), p=[0.7, 0.1, 0.2])
    folder.mkdir(parents=True)
    with open(folder / "adult.csv", "w", newline="") as file:
        csv.writer(file).writerows(
            [[*names, "part"], *([*row, part] for row, part in zip(rows, parts, strict=True))]
        )
    features = [name for name in names if name not in ("fnlwgt", "income")]
    lines = "\n".join(f"    {name}: {'number' if name in NUMBERS else 'category'}" for name in features)
    (folder / "spec.yaml").write_text(SPEC.format(seed=seed, features=lines))
    split = folder.parent / f"split-{folder.name}.csv"
    split.write_text("\n".join(["part", *parts]) + "\n")
    return split


def measure(command: list[str], folder: Path) -> dict[str, float]:
    """Run a command and return its seconds, CPU seconds and peak memory (MB)."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    with open(folder / "printed", "wb") as out, open(folder / "told", "wb") as err:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=err, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}\n{(folder / 'told').read_text()}")
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": round(usage.ru_maxrss / 1024),
    }


def floor(script: Path, data: Path, split: Path, seed: int, folder: Path) -> dict[str, float]:
    folder.mkdir()
    found = measure([sys.executable, str(script), str(data), str(seed), str(split)], folder)
    told = json.loads((folder / "printed").read_text().splitlines()[-1])
    return found | {name: told[name] for name in ("auroc", "accuracy")}


def ours(folder: Path) -> dict[str, float]:
    found = measure([sys.executable, "-m", "mlspec", "run"], folder)
    metrics = json.loads((folder / "artifacts" / "adult" / "evaluate-main" / "metrics.json").read_text())
    return found | {name: round(metrics[name], 4) for name in ("auroc", "accuracy")}


def median(found: list[dict[str, float]], name: str) -> float:
    return statistics.median(one[name] for one in found)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shared = ROOT.parent / "shared"
    parser.add_argument("--data", type=Path, default=shared / "data" / "adult.csv")
    parser.add_argument("--floor", type=Path, default=shared / "floors" / "adult_script.py")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--runs", type=int, default=2, help="times each seed is run")
    arguments = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = {"floor": [], "mlspec": []}
    with tempfile.TemporaryDirectory() as scratch:
        for place in range(arguments.runs):
            for seed in arguments.seeds:
                folder = Path(scratch) / f"{seed}-{place}"
                split = workspace(folder, arguments.data.resolve(), seed)
                bare = Path(scratch) / f"floor-{folder.name}"
                found["floor"].append(floor(arguments.floor, arguments.data.resolve(), split, seed, bare))
                found["mlspec"].append(ours(folder))
                print(seed, found["floor"][-1], found["mlspec"][-1], file=sys.stderr)
    result = {
        "seconds": round(median(found["mlspec"], "seconds") / median(found["floor"], "seconds"), 2),
        "cpu_seconds": round(
            median(found["mlspec"], "cpu_seconds") / median(found["floor"], "cpu_seconds"), 2
        ),
        "peak_mb": round(median(found["mlspec"], "peak_mb") / median(found["floor"], "peak_mb"), 2),
        "auroc_below": round(_mean(found["floor"], "auroc") - _mean(found["mlspec"], "auroc"), 4),
        "accuracy_below": round(_mean(found["floor"], "accuracy") - _mean(found["mlspec"], "accuracy"), 4),
        "must_be_at_most": {"seconds": 2.5, "peak_mb": 1.5, "auroc_below": 0.002, "accuracy_below": 0.002},
        "runs": found,
    }
    text = json.dumps(result, indent=2)
    (ROOT / "benchmarks" / "results").mkdir(exist_ok=True)
    (ROOT / "benchmarks" / "results" / "adult.json").write_text(text + "\n")
    print(text)


def _mean(found: list[dict[str, float]], name: str) -> float:
    return statistics.fmean(one[name] for one in found)


if __name__ == "__main__":
    main()
