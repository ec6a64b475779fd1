"""Rows a second inside `fit`, against a hand-written loop over tensors and against plain Lightning.

    python benchmarks/fit.py [--rows 400000] [--batches 1024 256 64] [--runs 5] [--lightning]

32 numbers, MLP 128-128, two classes, Adam, one epoch. Floor and mlspec run in turn, each in a process
of its own; the medians are held against each other. The floor's clock starts before its loop. Ours
starts before Lightning's `Trainer.fit` and ends when it returns: shuffling, Lightning's own start and
end, the checkpoint after the epoch, what TensorBoard shows and the telling of progress are inside;
`checkpoints` is the share of that time in which checkpoints were made and written. With `--lightning` the
same module is trained by Lightning as its tutorials do, `DataLoader(TensorDataset(...), shuffle=True)`, at
each batch size as well.
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

    from mlspec.engine.training import fit as room
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
    saving = [0.0]
    save = room.save_checkpoint

    def saved(*arguments: object, **options: object) -> None:
        start = time.perf_counter()
        save(*arguments, **options)  # type: ignore[arg-type]
        saving[0] += time.perf_counter() - start

    room.save_checkpoint = saved  # type: ignore[assignment]
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
        places = {"workspace": Path(folder), "scratch": Path(folder), "logs": Path(folder, "logs")}
        trained = fit(lesson, Context(**places))
    return {
        "rows_per_second": round(rows / seconds[0]),
        "train_loss": round(trained.history[0]["train_loss"], 4),
        "checkpoints": round(saving[0] / seconds[0], 5),
    }


def plain(rows: int, batch: int) -> dict[str, float]:
    """Train the same module once with plain Lightning."""
    import warnings

    import pytorch_lightning
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    warnings.filterwarnings("ignore")
    torch.manual_seed(0)
    numbers = torch.randn(rows, 32)
    truth = (numbers[:, 0] * numbers[:, 1] > 0).long()

    class Module(pytorch_lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(
                nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2)
            )

        def training_step(self, given: list[torch.Tensor], index: int) -> torch.Tensor:
            return nn.functional.cross_entropy(self.net(given[0]), given[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), 1e-3)

    trainer = pytorch_lightning.Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    loader = DataLoader(TensorDataset(numbers, truth), batch_size=batch, shuffle=True)
    start = time.perf_counter()
    trainer.fit(Module(), loader)
    return {"rows_per_second": round(rows / (time.perf_counter() - start))}


def run(*command: str) -> dict[str, float]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=True, env=environment
    )
    # Ours is one object; the floor's is one line.
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--batches", type=int, nargs="+", default=[1024, 256, 64])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--floor", type=Path, default=ROOT.parent / "shared" / "floors" / "train_loop.py")
    parser.add_argument("--lightning", action="store_true", help="against plain Lightning as well")
    parser.add_argument("--once", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--plain", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.once:
        print(json.dumps(work(arguments.rows, arguments.once)))
        return
    if arguments.plain:
        print(json.dumps(plain(arguments.rows, arguments.plain)))
        return
    result: dict[str, object] = {"rows": arguments.rows, "runs": arguments.runs, "must_be_at_least": 0.9}
    for batch in arguments.batches:
        floor, ours, beside, saving = [], [], [], []
        for _ in range(arguments.runs):
            shape = ("--rows", str(arguments.rows))
            floor.append(run(str(arguments.floor), "--batch", str(batch), *shape)["rows_per_second"])
            found = run(__file__, "--once", str(batch), *shape)
            ours.append(found["rows_per_second"])
            saving.append(found["checkpoints"])
            if arguments.lightning:
                beside.append(run(__file__, "--plain", str(batch), *shape)["rows_per_second"])
        ratio = round(statistics.median(ours) / statistics.median(floor), 2)
        told: dict[str, object] = {"ratio": ratio, "floor": floor, "mlspec": ours}
        told["checkpoints"] = statistics.median(saving)
        if beside:
            told["against_lightning"] = round(statistics.median(ours) / statistics.median(beside), 2)
            told["lightning"] = beside
        result[f"batch_{batch}"] = told
    text = json.dumps(result, indent=2)
    (ROOT / "benchmarks" / "results").mkdir(exist_ok=True)
    (ROOT / "benchmarks" / "results" / "fit.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
