"""Rows a second inside `fit`, against a hand-written loop over tensors.

    python benchmarks/fit.py [--rows 400000] [--batches 1024 256 64] [--runs 5]

32 numbers, MLP 128-128, two classes, Adam, one epoch. Floor and mlspec run in turn, each in a process
of its own; the medians are held against each other. The floor's clock starts before its loop. Ours
starts before Lightning's `Trainer.fit` and ends when it returns: shuffling, Lightning's own start and
end, the checkpoint after the epoch and the telling of progress are inside.
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


def work(rows: int, batch: int) -> dict[str, float]:
    """Train once in this process."""
    import numpy as np
    import pytorch_lightning
    import torch

    from mlspec.engine.training.fit import fit
    from mlspec.engine.training.lesson import Lesson
    from mlspec.sdk.context import Context
    from mlspec.sdk.contract import FittedTarget, ModelInputs
    from mlspec.sdk.encoded import Encoded
    from mlspec.sdk.slot import Slot

    # The same rows as the floor's.
    torch.manual_seed(0)
    numbers = torch.randn(rows, 32).numpy()
    truth = (numbers[:, 0] * numbers[:, 1] > 0).astype(np.float64)
    seconds: list[float] = []
    whole = pytorch_lightning.Trainer.fit

    def timed(*arguments: object, **options: object) -> None:
        start = time.perf_counter()
        whole(*arguments, **options)  # type: ignore[arg-type]
        seconds.append(time.perf_counter() - start)

    pytorch_lightning.Trainer.fit = timed  # type: ignore[method-assign, assignment]
    lesson = Lesson(
        model=Slot("model").choose({"kind": "mlp", "hidden": (128, 128)}),
        inputs=ModelInputs(numbers=32),
        target=FittedTarget(column="y", kind="category", classes=("no", "yes"), counts=(1, 1)),
        train=Encoded(numbers, np.zeros((rows, 0), np.int32), truth),
        val=None,
        optimizer=Slot("optimizer").choose({"kind": "adam", "lr": 1e-3}),
        epochs=1,
        batch_size=batch,
    )
    with tempfile.TemporaryDirectory() as folder:
        trained = fit(lesson, Context(workspace=Path(folder), scratch=Path(folder)))
    return {
        "rows_per_second": round(rows / seconds[0]),
        "train_loss": round(trained.history[0]["train_loss"], 4),
    }


def run(*command: str) -> dict[str, float]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=True, env=environment
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--batches", type=int, nargs="+", default=[1024, 256, 64])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--floor", type=Path, default=ROOT.parent / "shared" / "floors" / "train_loop.py")
    parser.add_argument("--once", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.once:
        print(json.dumps(work(arguments.rows, arguments.once)))
        return
    result: dict[str, object] = {"rows": arguments.rows, "runs": arguments.runs, "must_be_at_least": 0.9}
    for batch in arguments.batches:
        floor, ours = [], []
        for _ in range(arguments.runs):
            shape = ("--rows", str(arguments.rows))
            floor.append(run(str(arguments.floor), "--batch", str(batch), *shape)["rows_per_second"])
            ours.append(run(__file__, "--once", str(batch), *shape)["rows_per_second"])
        ratio = round(statistics.median(ours) / statistics.median(floor), 2)
        result[f"batch_{batch}"] = {"ratio": ratio, "floor": floor, "mlspec": ours}
    text = json.dumps(result, indent=2)
    (ROOT / "benchmarks" / "results").mkdir(exist_ok=True)
    (ROOT / "benchmarks" / "results" / "fit.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
