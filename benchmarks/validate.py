"""How long `mlspec validate` takes, held against importing Hydra and pydantic and composing the same spec.

    python benchmarks/validate.py [--floors ../shared/floors] [--runs 7] [--json]

Each run is a process of its own; they take turns. Limits: 1.5 x without data, 2.2 x with a CSV checked,
a spec of 300 lines with 40 faults at most 1.3 x of the same without, and `--help` at most 2 x
`import pydantic`. Exit code 1 where one is broken.
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

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = [f"column_{number}" for number in range(40)]
SPEC = """\
apiVersion: mlspec/v1
name: timed
seed: 7
defaults:
  - hardware: cpu
  - _self_
data:
  source: {kind: csv, path: timed.csv}
  key: [id]
  target: {column: answer, kind: binary, positive: "yes"}
  features:
FEATURES
  split: {kind: random, train: 0.7, val: 0.1, test: 0.2}
validation:
  rules:
    - {kind: not_null, columns: [column_0]}
model: {kind: mlp, hidden: [128, 128], dropout: 0.1}
training:
  epochs: 5
  batch_size: 256
  optimizer: {kind: adamw, lr: 1e-3, weight_decay: 0.01}
  schedule: {kind: one_cycle}
  early_stopping: {metric: auroc, patience: 3}
evaluation:
  metrics: [accuracy, auroc, log_loss]
  gates:
    - {metric: auroc, at_least: 0.90}
exports:
  main: {kind: onnx}
deployments:
  online: {kind: rest, export: main}
monitoring:
  monitors:
    live: {kind: whylogs, of: online}
""".replace("FEATURES", "\n".join(f"    {name}: {{kind: number, impute: median}}" for name in COLUMNS))


FAULTS = 40
LONG = SPEC.replace(
    ": {kind: number, impute: median}",
    ":\n      kind: number\n      impute: median\n      scale: standard\n      clip: [0, 9]\n      x-a: b",
).replace("name: timed\n", "name: timed\n" + "".join(f"x-note_{number}: {number}\n" for number in range(27)))
"""The same spec with a line for each option: 300 lines."""


def faulty(text: str) -> str:
    """Return the long spec with 40 faults: misspelt keys, words and kinds, and keys at a wrong level."""
    for number in range(16):
        one = f"column_{number}:\n      kind: number\n      impute: median"
        text = text.replace(one, one.replace("impute:", "imputee:"))
    for number in range(16, 32):
        one = f"column_{number}:\n      kind: number\n      impute: median"
        text = text.replace(one, one.replace("median", "medain"))
    text = (
        text.replace("  epochs: 5", "  epohcs: 5")
        .replace("kind: mlp", "kind: mpl")
        .replace("of: online", "of: onlin")
    )
    text = text.replace("lr: 1e-3", "lr: -1").replace("seed: 7", "seed: x\nbatch_sise: 5\nlr: 3")
    return text.replace("kind: adamw", "kind: adamv") + "dropout: 0.1\n"


def seconds(command: list[str], folder: Path, expected: int) -> float:
    """Return the wall-clock seconds of a process."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    took = time.perf_counter() - start
    if done.returncode != expected:
        sys.exit(f"{command} ended with {done.returncode}, expected {expected}\n{done.stdout}{done.stderr}")
    return took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--floors", type=Path, default=ROOT.parent / "shared" / "floors")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    os.environ.pop("PYTHONPATH", None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "spec.yaml").write_text(SPEC)
        (folder / "long.yaml").write_text(LONG)
        (folder / "faulty.yaml").write_text(faulty(LONG))
        (folder / "timed.csv").write_text(",".join(["id", "answer", *COLUMNS]) + "\n")
        mlspec = [str(Path(sys.executable).with_name("mlspec")), "validate"]
        programs = {
            "bare": (
                [
                    sys.executable,
                    str(arguments.floors.resolve() / "compose_bare.py"),
                    "spec.yaml",
                    str(ROOT / "conf"),
                ],
                0,
            ),
            "validate --no-data": ([*mlspec, "spec.yaml", "--no-data"], 0),
            "validate": ([*mlspec, "spec.yaml"], 0),
            "300 lines": ([*mlspec, "long.yaml", "--no-data", "--json"], 0),
            "300 lines, 40 faults": ([*mlspec, "faulty.yaml", "--no-data", "--json"], 2),
            "import pydantic": ([sys.executable, "-c", "import pydantic"], 0),
            "--help": ([mlspec[0], "--help"], 0),
        }
        took: dict[str, list[float]] = {name: [] for name in programs}
        for round_ in range(arguments.runs + 1):
            for name, (command, expected) in programs.items():
                once = seconds(command, folder, expected)
                if round_:  # the first round warms the disk
                    took[name].append(once)
        told = subprocess.run(programs["300 lines, 40 faults"][0], cwd=folder, capture_output=True, text=True)
        faults = len(json.loads(told.stdout)["faults"])
    median = {name: statistics.median(values) for name, values in took.items()}
    ratios = {
        "validate --no-data / bare": (median["validate --no-data"] / median["bare"], 1.5),
        "validate / bare": (median["validate"] / median["bare"], 2.2),
        f"{faults} faults / none": (median["300 lines, 40 faults"] / median["300 lines"], 1.3),
        "--help / import pydantic": (median["--help"] / median["import pydantic"], 2.0),
    }
    if arguments.json:
        print(
            json.dumps(
                {
                    "seconds": median,
                    "runs": arguments.runs,
                    "ratios": {name: ratio for name, (ratio, _) in ratios.items()},
                }
            )
        )
    else:
        for name, value in median.items():
            print(f"{name:<22} {value:.3f} s  ({min(took[name]):.3f}-{max(took[name]):.3f})")
        for name, (ratio, limit) in ratios.items():
            print(f"{name:<36} {ratio:.2f} x, limit {limit} {'ok' if ratio <= limit else 'TOO SLOW'}")
    return int(any(ratio > limit for ratio, limit in ratios.values()) or faults != FAULTS)


if __name__ == "__main__":
    sys.exit(main())
