"""Seconds from `mlspec run` to the first optimiser step, the data steps reused, against building by hand.

    python benchmarks/first_step.py [--runs 5] [--json]

The example breast_cancer is run once in a scratch copy, as an MLP. Then each run has another learning rate,
so that training is the first step that works; its process ends itself at the first step of the optimiser. The
floor is a process that imports pytorch_lightning and builds the same module and optimiser. Both are processes
of their own, from start to end, in turn. Limit: 1.5 x. Exit code 1 where it is broken.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 1.5
MODEL = "model={kind: mlp, hidden: [64, 64]}"
TRAINING = "training={epochs: 2, batch_size: 64, optimizer: {kind: adamw, lr: %g}}"
FLOOR = """
import pytorch_lightning
import torch
from torch import nn

layers = [nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)]
module = nn.Sequential(*layers)
torch.optim.AdamW(module.parameters(), 1e-3)
"""
OURS = """
import os, sys, importlib.abc

class Wait(importlib.abc.MetaPathFinder):
    # Once torch's optimisers are there, their first step ends this process.
    def find_spec(self, name, path, target=None):
        if name != "mlspec.engine.training.learner":
            return None
        sys.meta_path.remove(self)
        import torch

        def step(*arguments, **options):
            sys.stdout.flush()
            os._exit(77)

        torch.optim.AdamW.step = step
        return None

sys.meta_path.insert(0, Wait())
from mlspec.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def seconds(command: list[str], folder: Path, status: int) -> float:
    """Return the wall-clock seconds of a process that must end with a status."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    took = time.perf_counter() - start
    if done.returncode != status:
        sys.exit(f"{command} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return took


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    os.environ |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as name:
        os.environ["DVC_SITE_CACHE_DIR"] = str(Path(name) / "site")
        folder = Path(name) / "work"
        folder.mkdir()
        shutil.copy(ROOT / "examples" / "breast_cancer" / "spec.yaml", folder)
        words = ["run", "spec.yaml", MODEL, "evaluation.gates=[]"]
        seconds([sys.executable, "-m", "mlspec", *words, TRAINING % 1e-3], folder, 0)
        floor, ours = [], []
        for place in range(arguments.runs):
            floor.append(seconds([sys.executable, "-c", FLOOR], folder, 0))
            asked = [*words, TRAINING % (2e-3 + place * 1e-4)]
            ours.append(seconds([sys.executable, "-c", OURS, *asked], folder, 77))
    ratio = statistics.median(ours) / statistics.median(floor)
    if arguments.json:
        print(json.dumps({"ratio": ratio, "limit": LIMIT, "floor": floor, "mlspec": ours}, indent=1))
    else:
        for word, found in (("by hand", floor), ("mlspec run", ours)):
            print(f"{word:10}  {statistics.median(found):.2f} s  ({min(found):.2f}-{max(found):.2f})")
        print(f"ratio {ratio:.2f}, at most {LIMIT}")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
